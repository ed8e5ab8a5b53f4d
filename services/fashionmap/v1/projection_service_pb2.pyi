from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestMapRequest(_message.Message):
    __slots__ = ("collection", "unit", "perplexity", "seed")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERPLEXITY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    collection: str
    unit: str
    perplexity: float
    seed: int
    def __init__(self, collection: _Optional[str] = ..., unit: _Optional[str] = ..., perplexity: _Optional[float] = ..., seed: _Optional[int] = ...) -> None: ...

class RequestMapResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class GetMapRequest(_message.Message):
    __slots__ = ("collection", "version")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    version: str
    def __init__(self, collection: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class GetMapResponse(_message.Message):
    __slots__ = ("version", "summary_json")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_JSON_FIELD_NUMBER: _ClassVar[int]
    version: str
    summary_json: str
    def __init__(self, version: _Optional[str] = ..., summary_json: _Optional[str] = ...) -> None: ...

class ListPointsRequest(_message.Message):
    __slots__ = ("collection", "version", "page_size", "page_token")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    collection: str
    version: str
    page_size: int
    page_token: str
    def __init__(self, collection: _Optional[str] = ..., version: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPointsResponse(_message.Message):
    __slots__ = ("points", "next_page_token")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[Point]
    next_page_token: str
    def __init__(self, points: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("id", "category", "x", "y", "cluster")
    ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    id: str
    category: str
    x: float
    y: float
    cluster: int
    def __init__(self, id: _Optional[str] = ..., category: _Optional[str] = ..., x: _Optional[float] = ..., y: _Optional[float] = ..., cluster: _Optional[int] = ...) -> None: ...

class FindNeighboursRequest(_message.Message):
    __slots__ = ("collection", "version", "garment_id", "vector", "count")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GARMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    collection: str
    version: str
    garment_id: str
    vector: _containers.RepeatedScalarFieldContainer[float]
    count: int
    def __init__(self, collection: _Optional[str] = ..., version: _Optional[str] = ..., garment_id: _Optional[str] = ..., vector: _Optional[_Iterable[float]] = ..., count: _Optional[int] = ...) -> None: ...

class FindNeighboursResponse(_message.Message):
    __slots__ = ("neighbours", "x", "y")
    NEIGHBOURS_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    neighbours: _containers.RepeatedCompositeFieldContainer[Neighbour]
    x: float
    y: float
    def __init__(self, neighbours: _Optional[_Iterable[_Union[Neighbour, _Mapping]]] = ..., x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class Neighbour(_message.Message):
    __slots__ = ("id", "category", "file_name", "distance")
    ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    category: str
    file_name: str
    distance: float
    def __init__(self, id: _Optional[str] = ..., category: _Optional[str] = ..., file_name: _Optional[str] = ..., distance: _Optional[float] = ...) -> None: ...
