from hub.seal.v1 import signer_pb2 as _signer_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnswerRequest(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: _signer_pb2.SignerCall
    def __init__(self, call: _Optional[_Union[_signer_pb2.SignerCall, _Mapping]] = ...) -> None: ...

class AnswerResponse(_message.Message):
    __slots__ = ("answer",)
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    answer: _signer_pb2.SignerAnswer
    def __init__(self, answer: _Optional[_Union[_signer_pb2.SignerAnswer, _Mapping]] = ...) -> None: ...
