from fashionmap.v1 import masks_pb2 as _masks_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetMasksRequest(_message.Message):
    __slots__ = ("collection", "photo_id")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    collection: str
    photo_id: str
    def __init__(self, collection: _Optional[str] = ..., photo_id: _Optional[str] = ...) -> None: ...

class GetMasksResponse(_message.Message):
    __slots__ = ("masks",)
    MASKS_FIELD_NUMBER: _ClassVar[int]
    masks: _masks_pb2.Masks
    def __init__(self, masks: _Optional[_Union[_masks_pb2.Masks, _Mapping]] = ...) -> None: ...

class SegmentPhotoRequest(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class SegmentPhotoResponse(_message.Message):
    __slots__ = ("masks",)
    MASKS_FIELD_NUMBER: _ClassVar[int]
    masks: _masks_pb2.Masks
    def __init__(self, masks: _Optional[_Union[_masks_pb2.Masks, _Mapping]] = ...) -> None: ...
