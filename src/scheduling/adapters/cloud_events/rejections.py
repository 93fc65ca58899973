"""Why a message from outside cannot be followed, whoever looks at it how often.

Rejected
├── BadSubject       the NATS subject is not `inbox.<tenant>.<type>`, or not the type's
├── NotACloudEvent   an attribute is missing or wrong; nothing of it is repaired
├── TenantMismatch   the body names another tenant than the subject
├── UnknownType      nobody here listens to it
├── InvalidMessage   its data does not have the shape of its type
└── Unreadable       a defect of ours: it broke whoever read it

Messages name attributes, fields and codes; never values, which may be a patient's.
"""

from typing import ClassVar


class Rejected(Exception):
    code: ClassVar[str]


class BadSubject(Rejected):
    code = "BAD_SUBJECT"


class NotACloudEvent(Rejected):
    code = "NOT_A_CLOUD_EVENT"


class TenantMismatch(Rejected):
    code = "TENANT_MISMATCH"


class UnknownType(Rejected):
    code = "UNKNOWN_TYPE"


class InvalidMessage(Rejected):
    code = "VALIDATION_FAILED"


class Unreadable(Rejected):
    code = "UNREADABLE"
