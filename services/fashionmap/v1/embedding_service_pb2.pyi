from fashionmap.v1 import events_pb2 as _events_pb2
from fashionmap.v1 import masks_pb2 as _masks_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EmbedPhotoRequest(_message.Message):
    __slots__ = ("collection", "photo_id")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    collection: str
    photo_id: str
    def __init__(self, collection: _Optional[str] = ..., photo_id: _Optional[str] = ...) -> None: ...

class EmbedPhotoResponse(_message.Message):
    __slots__ = ("embedder", "vectors")
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    embedder: _events_pb2.ModelStamp
    vectors: _containers.RepeatedCompositeFieldContainer[UnitVector]
    def __init__(self, embedder: _Optional[_Union[_events_pb2.ModelStamp, _Mapping]] = ..., vectors: _Optional[_Iterable[_Union[UnitVector, _Mapping]]] = ...) -> None: ...

class UnitVector(_message.Message):
    __slots__ = ("id", "category", "values")
    ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    id: str
    category: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, id: _Optional[str] = ..., category: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class EmbedUploadRequest(_message.Message):
    __slots__ = ("masks", "chunk")
    MASKS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    masks: _masks_pb2.Masks
    chunk: bytes
    def __init__(self, masks: _Optional[_Union[_masks_pb2.Masks, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class EmbedUploadResponse(_message.Message):
    __slots__ = ("embedder", "vectors")
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    embedder: _events_pb2.ModelStamp
    vectors: _containers.RepeatedCompositeFieldContainer[UnitVector]
    def __init__(self, embedder: _Optional[_Union[_events_pb2.ModelStamp, _Mapping]] = ..., vectors: _Optional[_Iterable[_Union[UnitVector, _Mapping]]] = ...) -> None: ...
