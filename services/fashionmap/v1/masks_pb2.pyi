from fashionmap.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Unit(_message.Message):
    __slots__ = ("id", "unit", "category", "score", "bbox", "area", "counts")
    ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BBOX_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    unit: str
    category: str
    score: float
    bbox: _containers.RepeatedScalarFieldContainer[float]
    area: int
    counts: str
    def __init__(self, id: _Optional[str] = ..., unit: _Optional[str] = ..., category: _Optional[str] = ..., score: _Optional[float] = ..., bbox: _Optional[_Iterable[float]] = ..., area: _Optional[int] = ..., counts: _Optional[str] = ...) -> None: ...

class Masks(_message.Message):
    __slots__ = ("photo_id", "width", "height", "segmenter", "units")
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTER_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    photo_id: str
    width: int
    height: int
    segmenter: _events_pb2.ModelStamp
    units: _containers.RepeatedCompositeFieldContainer[Unit]
    def __init__(self, photo_id: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., segmenter: _Optional[_Union[_events_pb2.ModelStamp, _Mapping]] = ..., units: _Optional[_Iterable[_Union[Unit, _Mapping]]] = ...) -> None: ...
