//! Endpoints, for instance: what the OpenAPI document shows. A test holds each against its schema.

/// A new endpoint, for instance.
pub(crate) const DRAFT: &str = r#"{
    "url": "https://hooks.example.com/waxseal",
    "name": "Security desk",
    "event_types": [
        "dlp.*"
    ],
    "min_severity": "high",
    "filter": {
        "data": {
            "user": [
                {
                    "exists": true
                }
            ]
        }
    }
}"#;

/// An endpoint, for instance.
pub(crate) const ENDPOINT: &str = r#"{
    "id": "ep_1",
    "tenant": "acme",
    "url": "https://hooks.example.com/waxseal",
    "name": "Security desk",
    "event_types": [
        "dlp.*"
    ],
    "filter": {
        "data": {
            "user": [
                {
                    "exists": true
                }
            ]
        }
    },
    "min_severity": "high",
    "risk_score_above": null,
    "outcomes": [],
    "profile": "standard",
    "signed": true,
    "secrets": [
        {
            "created_at": "2026-11-21T12:00:00Z",
            "signs_until": null
        }
    ],
    "retry": {
        "delays_s": [
            5,
            300
        ],
        "jitter": true
    },
    "timeout_ms": 10000,
    "max_per_second": null,
    "max_concurrency": null,
    "headers": {},
    "auth": null,
    "enabled": true,
    "paused": false,
    "paused_at": null,
    "health": "verified",
    "breaker": "closed",
    "recent_failures": [],
    "created_at": "2026-11-21T12:00:00Z",
    "updated_at": "2026-11-21T12:00:00Z"
}"#;

/// An endpoint just configured, for instance.
pub(crate) const CREATED: &str = r#"{
    "id": "ep_1",
    "tenant": "acme",
    "url": "https://hooks.example.com/waxseal",
    "name": "Security desk",
    "event_types": [
        "dlp.*"
    ],
    "filter": {
        "data": {
            "user": [
                {
                    "exists": true
                }
            ]
        }
    },
    "min_severity": "high",
    "risk_score_above": null,
    "outcomes": [],
    "profile": "standard",
    "signed": true,
    "secrets": [
        {
            "created_at": "2026-11-21T12:00:00Z",
            "signs_until": null
        }
    ],
    "retry": {
        "delays_s": [
            5,
            300
        ],
        "jitter": true
    },
    "timeout_ms": 10000,
    "max_per_second": null,
    "max_concurrency": null,
    "headers": {},
    "auth": null,
    "enabled": true,
    "paused": false,
    "paused_at": null,
    "health": "unverified",
    "created_at": "2026-11-21T12:00:00Z",
    "updated_at": "2026-11-21T12:00:00Z",
    "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "ping": null,
    "active_from": "2026-11-21T12:00:10Z"
}"#;
