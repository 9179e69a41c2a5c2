"""The examples of exports: one quarter's release that waits for its second person."""

from typing import Any

from app.openapi.example_values import ID, NOW

_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_REPORT = {
    "profile": {"name": "auditor-v1", "version": 1, "hash": _SHA256},
    "period": "2024Q3",
    "rows_in": 240,
    "promise": {"k": 5, "max_posterior": 0.8, "max_base_risk": 0.03},
}
EXPORT_MODELS: dict[str, Any] = {
    "ExportCreate": {"profile": "auditor-v1", "period": "2024Q3"},
    "ExportApprove": {"manifest_sha256": _SHA256},
    "ExportRead": {
        "id": ID,
        "profile": "auditor-v1",
        "period": "2024Q3",
        "state": "frozen",
        "code": None,
        "progress": None,
        "report": _REPORT,
        "manifest_sha256": _SHA256,
        "approvals": {"given": 0, "awaited": [ID]},
        "files": None,
        "requested_at": NOW,
        "frozen_at": NOW,
        "released_at": None,
        "withdrawn_at": None,
    },
    "ExportKeySet": {
        "keys": [
            {
                "crv": "Ed25519",
                "kty": "OKP",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                "use": "sig",
                "alg": "EdDSA",
            }
        ]
    },
}
