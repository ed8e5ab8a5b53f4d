from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MetadataValue(_message.Message):
    __slots__ = ("text", "integer", "number", "flag")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    text: str
    integer: int
    number: float
    flag: bool
    def __init__(self, text: _Optional[str] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., flag: _Optional[bool] = ...) -> None: ...

class ModelStamp(_message.Message):
    __slots__ = ("name", "version", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class PhotoOffered(_message.Message):
    __slots__ = ("collection", "file_name", "key", "data", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: MetadataValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[MetadataValue, _Mapping]] = ...) -> None: ...
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    collection: str
    file_name: str
    key: str
    data: bytes
    metadata: _containers.MessageMap[str, MetadataValue]
    def __init__(self, collection: _Optional[str] = ..., file_name: _Optional[str] = ..., key: _Optional[str] = ..., data: _Optional[bytes] = ..., metadata: _Optional[_Mapping[str, MetadataValue]] = ...) -> None: ...

class Photo(_message.Message):
    __slots__ = ("file_name", "width", "height", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: MetadataValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[MetadataValue, _Mapping]] = ...) -> None: ...
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    file_name: str
    width: int
    height: int
    metadata: _containers.MessageMap[str, MetadataValue]
    def __init__(self, file_name: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., metadata: _Optional[_Mapping[str, MetadataValue]] = ...) -> None: ...

class PhotoIngested(_message.Message):
    __slots__ = ("collection", "photo_id", "photo")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    collection: str
    photo_id: str
    photo: Photo
    def __init__(self, collection: _Optional[str] = ..., photo_id: _Optional[str] = ..., photo: _Optional[_Union[Photo, _Mapping]] = ...) -> None: ...

class PhotoSegmented(_message.Message):
    __slots__ = ("collection", "photo_id", "segmenter", "fresh")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    SEGMENTER_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    collection: str
    photo_id: str
    segmenter: ModelStamp
    fresh: bool
    def __init__(self, collection: _Optional[str] = ..., photo_id: _Optional[str] = ..., segmenter: _Optional[_Union[ModelStamp, _Mapping]] = ..., fresh: _Optional[bool] = ...) -> None: ...

class PhotoEmbedded(_message.Message):
    __slots__ = ("collection", "photo_id", "segmenter", "embedder")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    SEGMENTER_FIELD_NUMBER: _ClassVar[int]
    EMBEDDER_FIELD_NUMBER: _ClassVar[int]
    collection: str
    photo_id: str
    segmenter: ModelStamp
    embedder: ModelStamp
    def __init__(self, collection: _Optional[str] = ..., photo_id: _Optional[str] = ..., segmenter: _Optional[_Union[ModelStamp, _Mapping]] = ..., embedder: _Optional[_Union[ModelStamp, _Mapping]] = ...) -> None: ...

class CollectionGrew(_message.Message):
    __slots__ = ("collection", "wait")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    collection: str
    wait: float
    def __init__(self, collection: _Optional[str] = ..., wait: _Optional[float] = ...) -> None: ...

class MapRequested(_message.Message):
    __slots__ = ("collection", "version", "unit", "perplexity", "seed")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    collection: str
    version: str
    unit: str
    perplexity: float
    seed: int
    def __init__(self, collection: _Optional[str] = ..., version: _Optional[str] = ..., unit: _Optional[str] = ..., perplexity: _Optional[float] = ..., seed: _Optional[int] = ...) -> None: ...

class MapUpdated(_message.Message):
    __slots__ = ("collection", "version", "photo_id")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    collection: str
    version: str
    photo_id: str
    def __init__(self, collection: _Optional[str] = ..., version: _Optional[str] = ..., photo_id: _Optional[str] = ...) -> None: ...
