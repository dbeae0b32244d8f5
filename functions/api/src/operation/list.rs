//! The list of operations, in the order of the reference.

use serde::Serialize;
use serde_json::{Map, Value, json};
use waxseal_api_types::endpoint::{
    MatchChanges, MatchResult, NewRecovery, NewTest, Recovery, Rotation, Secret, TestResult,
};
use waxseal_api_types::event::{AcceptedEvents, HookAnswer, NewEvent};
use waxseal_api_types::{
    Acceptance, AuditEntry, CreatedEndpoint, Delivery, DeliveryStatus, Endpoint, EndpointChanges,
    Event, EventType, Identity, Key, KeySet, List, NewEndpoint, NewEventType, NewKey, NewSource,
    NewTenant, Profile, Question, Serving, Source, Status, Tenant, Verdict, event,
};
use waxseal_domain::api_key::Scope;
use waxseal_domain::limits::{EVENTS_PER_REQUEST_MAX, PAGE_DEFAULT, PAGE_MAX};

use super::Access;
use super::Handler::{self, Elsewhere};
use super::{Answered, Inside, Link, Operation, Outside, Parameter, Taken};
use crate::{endpoints, event_types, keys, sources, tenants, verify};

const INGEST: Access = Access::Tenant(Scope::Ingest);
const MANAGE: Access = Access::Tenant(Scope::Manage);

const BLANK: Operation = Operation {
    handler: Elsewhere,
    line: "",
    id: "",
    access: MANAGE,
    summary: "",
    about: "",
    parameters: &[],
    body: None,
    answers: &[],
    problems: &[],
};

const fn outside(name: Outside, line: &'static str, id: &'static str) -> Operation {
    Operation { handler: Handler::Outside(name), line, id, ..BLANK }
}

const fn inside(name: Inside, line: &'static str, id: &'static str) -> Operation {
    Operation { handler: Handler::Inside(name), line, id, ..BLANK }
}

const fn taken(name: &'static str, schema: fn() -> Value, example: fn() -> Value) -> Taken {
    let content_type = "application/json";
    Taken { name, schema, content_type, optional: false, example: Some(example) }
}

const fn may_take(name: &'static str, schema: fn() -> Value, example: fn() -> Value) -> Taken {
    Taken { optional: true, ..taken(name, schema, example) }
}

const fn query(name: &'static str, about: &'static str, schema: fn() -> Value) -> Parameter {
    Parameter { name, about, schema, required: false }
}

const LIMIT: Parameter = query(
    "limit",
    "Entries of a page",
    || json!({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT}),
);
const CURSOR: Parameter = query(
    "cursor",
    "Where the page begins: `cursor` of the page before",
    || json!({"type": "string", "maxLength": 512}),
);
const PAGE: &[Parameter] = &[LIMIT, CURSOR];
const IF_MATCH: Parameter = query(
    "If-Match",
    "The `ETag` that the endpoint was read with: 412 if it was changed since. `*` is any",
    || json!({"type": "string", "maxLength": 64}),
);
const IDEMPOTENCY_KEY: Parameter = query(
    "Idempotency-Key",
    "Any text of your own, new for each endpoint: a request repeated with it makes no second one and \
     is answered as the first was, its secret included for a day unless it was rotated. 422 if the \
     body is another",
    || json!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"}),
);
const PING: Parameter = query(
    "ping",
    "`false` leaves the test event out",
    || json!({"type": "string", "enum": ["true", "false"], "default": "true"}),
);
const STATUS: Parameter =
    query("status", "Only those", || json!({"type": "string", "enum": DeliveryStatus::WORDS}));

const ENDPOINT_LINK: Link = Link {
    pointer: "/id",
    parameter: "endpoint",
    to: &[
        "getEndpoint",
        "changeEndpoint",
        "deleteEndpoint",
        "testEndpoint",
        "rotateSecret",
        "enableEndpoint",
        "disableEndpoint",
        "recoverDeliveries",
        "matchEndpoint",
        "listDeliveries",
    ],
};
const EVENT_LINK: Link =
    Link { pointer: "/id", parameter: "event", to: &["getEvent", "expungeEvent"] };
const DELIVERY_LINK: Link = Link {
    pointer: "/deliveries/0/id",
    parameter: "delivery",
    to: &["getDelivery", "replayDelivery", "cancelDelivery"],
};

/// Every operation.
pub(crate) const OPERATIONS: &[Operation] = &[
    // ---- events
    Operation {
        access: INGEST,
        line: "POST /v1/tenants/{tenant}/events",
        id: "sendEvents",
        summary: "Send an event, or an array of up to 100",
        about: "A CloudEvent, structured, binary or batched by its content type, or a plain object \
                with a `type`. 202 once it is durable and queued. The same `source` and `id` again is \
                a duplicate; with other content it is a conflict (409).",
        body: Some(taken("EventOrEvents", event::new_events, || json_of(&NewEvent::example()))),
        answers: &[Answered::json::<AcceptedEvents>(
            202,
            "Accepted: an array's results are in its order",
        )
        .like(|| json_of(&Acceptance::example()))
        .linked(&[EVENT_LINK, DELIVERY_LINK])],
        problems: &[409, 413, 415],
        ..BLANK
    },
    Operation {
        summary: "Events, newest first",
        parameters: PAGE,
        answers: &[Answered::json::<List<Event>>(200, "A page")],
        ..inside(Inside::Events, "GET /v1/tenants/{tenant}/events", "listEvents")
    },
    Operation {
        summary: "An event and its deliveries",
        answers: &[Answered::json::<Event>(200, "The event")
            .like(|| json_of(&Event::example()))
            .linked(&[DELIVERY_LINK])],
        ..inside(Inside::Event, "GET /v1/tenants/{tenant}/events/{event}", "getEvent")
    },
    Operation {
        access: Access::Public,
        summary: "The stored event, by the link of a shortened body",
        about: "The link is the key: it is signed, and expires.",
        parameters: &[
            Parameter {
                required: true,
                ..query(
                    "expires",
                    "Seconds since 1970",
                    || json!({"type": "integer", "minimum": 0, "maximum": 253_402_300_799_u64}),
                )
            },
            Parameter {
                required: true,
                ..query("signature", "Of the link", || json!({"type": "string", "maxLength": 256}))
            },
        ],
        answers: &[Answered::json::<Event>(200, "The event")],
        problems: &[403, 404, 410],
        ..outside(
            Outside::EventContent,
            "GET /v1/tenants/{tenant}/events/{event}/content",
            "getEventContent",
        )
    },
    Operation {
        summary: "Remove the payload, keep the record",
        about: "What is still owed is cancelled.",
        answers: &[Answered::empty("Removed")],
        ..inside(
            Inside::ExpungeEvent,
            "DELETE /v1/tenants/{tenant}/events/{event}/content",
            "expungeEvent",
        )
    },
    Operation {
        access: Access::Public,
        line: "OPTIONS /v1/tenants/{tenant}/events",
        id: "allowSender",
        summary: "The handshake of the CloudEvents HTTP webhook specification",
        answers: &[Answered::empty("Any sender with a key may send")],
        problems: &[404],
        ..BLANK
    },
    // ---- endpoints
    Operation {
        summary: "Configure an endpoint",
        about: "A test event is sent at once (`ping`); a failed one does not undo the endpoint. Its \
                `secret` is shown this once.",
        parameters: &[PING, IDEMPOTENCY_KEY],
        body: Some(taken("NewEndpoint", endpoints::draft, || json_of(&NewEndpoint::example()))),
        answers: &[Answered::json::<CreatedEndpoint>(
            201,
            "The endpoint, its secret, and what the ping came to",
        )
        .like(|| json_of(&CreatedEndpoint::example()))
        .linked(&[ENDPOINT_LINK])],
        problems: &[409],
        ..inside(Inside::CreateEndpoint, "POST /v1/tenants/{tenant}/endpoints", "createEndpoint")
    },
    Operation {
        summary: "Endpoints, newest first",
        parameters: PAGE,
        answers: &[Answered::json::<List<Endpoint>>(200, "A page")],
        ..inside(Inside::Endpoints, "GET /v1/tenants/{tenant}/endpoints", "listEndpoints")
    },
    Operation {
        summary: "An endpoint, its breaker and its last failures",
        answers: &[Answered::json::<Endpoint>(
            200,
            "The endpoint; its `ETag` goes into `If-Match`",
        )
        .like(|| json_of(&Endpoint::example()))],
        ..inside(Inside::Endpoint, "GET /v1/tenants/{tenant}/endpoints/{endpoint}", "getEndpoint")
    },
    Operation {
        summary: "Change an endpoint",
        about: "A JSON merge patch: what is left out stays, null is the default.",
        parameters: &[IF_MATCH],
        body: Some(taken("EndpointChanges", endpoints::changes, || {
            json_of(&EndpointChanges::example())
        })),
        answers: &[
            Answered::json::<Endpoint>(200, "As it is now").like(|| json_of(&Endpoint::example()))
        ],
        problems: &[409, 412],
        ..inside(
            Inside::ChangeEndpoint,
            "PATCH /v1/tenants/{tenant}/endpoints/{endpoint}",
            "changeEndpoint",
        )
    },
    Operation {
        summary: "Remove an endpoint",
        parameters: &[IF_MATCH],
        answers: &[Answered::empty("Removed; what was owed to it is cancelled")],
        problems: &[409, 412],
        ..inside(
            Inside::DeleteEndpoint,
            "DELETE /v1/tenants/{tenant}/endpoints/{endpoint}",
            "deleteEndpoint",
        )
    },
    Operation {
        summary: "Send a signed test event now",
        about: "Under the same rules as any delivery. What the receiver did is the answer, not an error.",
        body: Some(may_take("NewTest", endpoints::test_body, || json_of(&NewTest::example()))),
        answers: &[Answered::json::<TestResult>(200, "What came of it")],
        problems: &[409],
        ..inside(
            Inside::TestEndpoint,
            "POST /v1/tenants/{tenant}/endpoints/{endpoint}/test",
            "testEndpoint",
        )
    },
    Operation {
        summary: "A new secret; both sign until the overlap ends",
        body: Some(may_take("Rotation", endpoints::rotation, || json_of(&Rotation::example()))),
        answers: &[Answered::json::<Secret>(200, "The new secret, shown this once")],
        problems: &[409],
        ..inside(
            Inside::RotateSecret,
            "POST /v1/tenants/{tenant}/endpoints/{endpoint}/rotate-secret",
            "rotateSecret",
        )
    },
    Operation {
        summary: "Let an endpoint get events",
        answers: &[
            Answered::json::<Endpoint>(200, "As it is now").like(|| json_of(&Endpoint::example()))
        ],
        problems: &[409],
        ..inside(
            Inside::EnableEndpoint,
            "POST /v1/tenants/{tenant}/endpoints/{endpoint}/enable",
            "enableEndpoint",
        )
    },
    Operation {
        summary: "Let an endpoint get no events",
        answers: &[
            Answered::json::<Endpoint>(200, "As it is now").like(|| json_of(&Endpoint::example()))
        ],
        problems: &[409],
        ..inside(
            Inside::DisableEndpoint,
            "POST /v1/tenants/{tenant}/endpoints/{endpoint}/disable",
            "disableEndpoint",
        )
    },
    Operation {
        summary: "Send again what failed or went missing since a time",
        body: Some(taken("NewRecovery", endpoints::recovery, || json_of(&NewRecovery::example()))),
        answers: &[
            Answered::json::<Recovery>(200, "How many it would be"),
            Answered::json::<Recovery>(
                202,
                "How many were queued; call again with its `cursor` for the rest",
            ),
        ],
        problems: &[409],
        ..inside(
            Inside::Recover,
            "POST /v1/tenants/{tenant}/endpoints/{endpoint}/recover",
            "recoverDeliveries",
        )
    },
    Operation {
        summary: "What an endpoint would have got, with changes that are not saved",
        about: "The last stored events go through the endpoint's subscription, with the body's members \
                in place of its own, and are rendered in its profile. Nothing is sent or saved.",
        body: Some(may_take("MatchChanges", endpoints::match_changes, || {
            json_of(&MatchChanges::example())
        })),
        answers: &[Answered::json::<MatchResult>(200, "Event by event, newest first")],
        ..inside(
            Inside::Match,
            "POST /v1/tenants/{tenant}/endpoints/{endpoint}/match",
            "matchEndpoint",
        )
    },
    Operation {
        summary: "What an endpoint that does not exist yet would have got",
        body: Some(may_take("MatchDraft", endpoints::match_draft, || {
            json_of(&MatchChanges::draft_example())
        })),
        answers: &[Answered::json::<MatchResult>(200, "Event by event, newest first")],
        ..inside(Inside::MatchDraft, "POST /v1/tenants/{tenant}/endpoints/match", "matchDraft")
    },
    // ---- deliveries
    Operation {
        summary: "An endpoint's deliveries that did not succeed at first, newest event first",
        parameters: &[LIMIT, CURSOR, STATUS],
        answers: &[Answered::json::<List<Delivery>>(200, "A page")],
        ..inside(
            Inside::EndpointDeliveries,
            "GET /v1/tenants/{tenant}/endpoints/{endpoint}/deliveries",
            "listDeliveries",
        )
    },
    Operation {
        summary: "A delivery with its attempts",
        answers: &[
            Answered::json::<Delivery>(200, "The delivery").like(|| json_of(&Delivery::example()))
        ],
        ..inside(Inside::Delivery, "GET /v1/tenants/{tenant}/deliveries/{delivery}", "getDelivery")
    },
    Operation {
        summary: "Send a delivery once more",
        answers: &[Answered::json::<Delivery>(202, "It is queued")],
        problems: &[409, 410],
        ..inside(
            Inside::Replay,
            "POST /v1/tenants/{tenant}/deliveries/{delivery}/replay",
            "replayDelivery",
        )
    },
    Operation {
        summary: "Owe a delivery no more",
        answers: &[Answered::json::<Delivery>(200, "It is cancelled")],
        problems: &[409],
        ..inside(
            Inside::Cancel,
            "POST /v1/tenants/{tenant}/deliveries/{delivery}/cancel",
            "cancelDelivery",
        )
    },
    // ---- event types
    Operation {
        summary: "The tenant's catalogue of event types",
        answers: &[Answered::json::<List<EventType>>(200, "All of them, by name")],
        ..inside(Inside::EventTypes, "GET /v1/tenants/{tenant}/event-types", "listEventTypes")
    },
    Operation {
        summary: "An event type",
        answers: &[Answered::json::<EventType>(200, "It")],
        ..inside(Inside::EventType, "GET /v1/tenants/{tenant}/event-types/{type}", "getEventType")
    },
    Operation {
        summary: "Put an event type into the catalogue",
        about: "With a `schema`, an event of the type whose `data` does not fit is refused (422) from \
                then on; `example` is what a test event of the type holds.",
        body: Some(taken("NewEventType", event_types::body, || json_of(&NewEventType::example()))),
        answers: &[Answered::json::<EventType>(200, "As it is now")
            .like(|| json_of(&EventType::example()))
            .linked(&[Link {
                pointer: "/type",
                parameter: "type",
                to: &["getEventType", "deleteEventType"],
            }])],
        problems: &[409],
        ..inside(
            Inside::PutEventType,
            "PUT /v1/tenants/{tenant}/event-types/{type}",
            "putEventType",
        )
    },
    Operation {
        summary: "Take an event type out of the catalogue",
        answers: &[Answered::empty("Removed; events of it are taken without a check")],
        problems: &[409],
        ..inside(
            Inside::DeleteEventType,
            "DELETE /v1/tenants/{tenant}/event-types/{type}",
            "deleteEventType",
        )
    },
    // ---- hooks
    Operation {
        summary: "Sources of hooks",
        answers: &[Answered::json::<List<Source>>(200, "All of them, by name")],
        ..inside(Inside::Sources, "GET /v1/tenants/{tenant}/sources", "listSources")
    },
    Operation {
        summary: "A source of hooks",
        answers: &[Answered::json::<Source>(200, "It")],
        ..inside(Inside::Source, "GET /v1/tenants/{tenant}/sources/{source}", "getSource")
    },
    Operation {
        summary: "Say who sends hooks, and the secrets that they sign with",
        about: "Hooks come in at `/hooks/{source}`, so its name is unique in the deployment.",
        body: Some(taken("NewSource", sources::body, || json_of(&NewSource::example()))),
        answers: &[Answered::json::<Source>(200, "As it is now").linked(&[Link {
            pointer: "/name",
            parameter: "source",
            to: &["getSource", "deleteSource"],
        }])],
        problems: &[409],
        ..inside(Inside::PutSource, "PUT /v1/tenants/{tenant}/sources/{source}", "putSource")
    },
    Operation {
        summary: "Take no more hooks of a source",
        answers: &[Answered::empty("Removed")],
        ..inside(
            Inside::DeleteSource,
            "DELETE /v1/tenants/{tenant}/sources/{source}",
            "deleteSource",
        )
    },
    Operation {
        access: Access::Public,
        line: "POST /hooks/{source}",
        id: "receiveHook",
        summary: "A hook, which becomes an event once it is verified",
        about: "Signed as the source's profile says; the body is the system's own.",
        body: Some(Taken {
            name: "",
            schema: || json!({"type": "string", "format": "binary"}),
            content_type: "application/octet-stream",
            optional: false,
            example: None,
        }),
        answers: &[Answered::json::<HookAnswer>(
            200,
            "Accepted, or a duplicate; or the answer to the system's question",
        )
        .like(|| json_of(&Acceptance::example()))],
        problems: &[400, 401, 404, 409, 413, 422],
        ..BLANK
    },
    Operation {
        access: Access::Public,
        line: "OPTIONS /hooks/{source}",
        id: "allowHooks",
        summary: "The handshake of the CloudEvents HTTP webhook specification",
        answers: &[Answered::empty("Any system may send; its signatures decide")],
        problems: &[404],
        ..BLANK
    },
    Operation {
        access: Access::Key,
        summary: "Whether a hook verifies, and if not, why",
        about: "Nothing of it is kept.",
        body: Some(taken("Question", verify::question, || json_of(&Question::example()))),
        answers: &[Answered::json::<Verdict>(200, "Valid, or the mistakes that were found")
            .like(|| json_of(&Verdict::example()))],
        ..outside(Outside::Verify, "POST /v1/verify", "verify")
    },
    // ---- tenants and keys
    Operation {
        access: Access::Operator,
        summary: "All tenants, by name",
        parameters: PAGE,
        answers: &[Answered::json::<List<Tenant>>(200, "A page")],
        ..outside(Outside::Tenants, "GET /v1/tenants", "listTenants")
    },
    Operation {
        access: Access::Operator,
        summary: "Make a tenant",
        body: Some(taken("NewTenant", tenants::body, || json_of(&NewTenant::example()))),
        answers: &[Answered::json::<Tenant>(201, "The tenant").like(|| json_of(&Tenant::example()))],
        problems: &[409],
        ..outside(Outside::CreateTenant, "POST /v1/tenants", "createTenant")
    },
    Operation {
        summary: "API keys, newest first",
        answers: &[Answered::json::<List<Key>>(200, "All of them; none shows the key itself")],
        ..inside(Inside::Keys, "GET /v1/tenants/{tenant}/keys", "listKeys")
    },
    Operation {
        summary: "A new API key, shown this once",
        body: Some(may_take("NewKey", keys::body, || json_of(&NewKey::example()))),
        answers: &[Answered::json::<Key>(201, "The key").linked(&[Link {
            pointer: "/id",
            parameter: "key",
            to: &["deleteKey"],
        }])],
        problems: &[409],
        ..inside(Inside::CreateKey, "POST /v1/tenants/{tenant}/keys", "createKey")
    },
    Operation {
        summary: "Revoke an API key",
        answers: &[Answered::empty("Revoked: on AWS it may work for 10 seconds more")],
        ..inside(Inside::DeleteKey, "DELETE /v1/tenants/{tenant}/keys/{key}", "deleteKey")
    },
    Operation {
        access: Access::Key,
        summary: "What the key of this request is, and what it may do",
        answers: &[Answered::json::<Identity>(200, "It").like(|| json_of(&Identity::example()))],
        ..outside(Outside::WhoAmI, "GET /v1/whoami", "whoAmI")
    },
    Operation {
        summary: "Changes of the tenant's configuration, newest first",
        about: "Who changed what, when, and what it was before; never a secret. Each is an event as well, \
                of type `waxseal.audit.` and the action.",
        parameters: PAGE,
        answers: &[Answered::json::<List<AuditEntry>>(200, "A page")],
        ..inside(Inside::Audit, "GET /v1/tenants/{tenant}/audit", "listAudit")
    },
    // ---- profiles
    Operation {
        access: Access::Public,
        summary: "Wire contracts that endpoints choose from",
        answers: &[Answered::json::<List<Profile>>(200, "All of them")],
        ..outside(Outside::Profiles, "GET /v1/profiles", "listProfiles")
    },
    Operation {
        access: Access::Public,
        summary: "A wire contract, with its whole file",
        answers: &[Answered::json::<Profile>(200, "It")],
        problems: &[404],
        ..outside(Outside::Profile, "GET /v1/profiles/{profile}", "getProfile")
    },
    Operation {
        access: Access::Operator,
        summary: "Add a wire contract of the deployment's own",
        about: "The file is the body; its format is told in `shared/verify/profiles/README.md`.",
        body: Some(Taken {
            example: None,
            ..taken("NewProfile", || json!({"type": "object"}), Value::default)
        }),
        answers: &[Answered::json::<Profile>(200, "It")],
        problems: &[409],
        ..outside(Outside::PutProfile, "PUT /v1/profiles/{profile}", "putProfile")
    },
    Operation {
        access: Access::Public,
        summary: "Public keys of endpoints that sign with ed25519, as a JWK Set",
        about: "Both keys of one that rotates. Without a tenant it goes through the first twenty.",
        parameters: &[
            query("tenant", "Of this tenant", || json!({"type": "string", "maxLength": 64})),
            query("endpoint", "Of this endpoint", || json!({"type": "string", "maxLength": 64})),
        ],
        answers: &[Answered::json::<KeySet>(200, "The keys")],
        problems: &[404],
        ..outside(Outside::WebhookKeys, "GET /.well-known/webhook-keys", "getWebhookKeys")
    },
    // ---- the deployment
    Operation {
        access: Access::Operator,
        summary: "How the deployment is: store, key vault, queues, alarms",
        answers: &[Answered::json::<Status>(200, "Check by check")],
        ..outside(Outside::Status, "GET /v1/status", "getStatus")
    },
    Operation {
        access: Access::Public,
        summary: "Whether it serves",
        answers: &[Answered::json::<Serving>(200, "It does").like(|| json_of(&Serving::ok()))],
        ..outside(Outside::Health, "GET /healthz", "getHealth")
    },
    Operation {
        access: Access::Public,
        summary: "This document",
        answers: &[Answered::json::<Map<String, Value>>(200, "OpenAPI 3.1")],
        ..outside(Outside::OpenApi, "GET /openapi.json", "getOpenApi")
    },
    Operation {
        access: Access::Public,
        summary: "This document, to read",
        answers: &[Answered {
            content_type: "text/html",
            ..Answered::json::<String>(200, "A page")
        }],
        ..outside(Outside::Reference, "GET /docs", "getReference")
    },
];

/// Makes an example's JSON.
fn json_of<T: Serialize>(example: &T) -> Value {
    serde_json::to_value(example).expect("examples are strings, numbers and raw JSON")
}

const _: () = assert!(EVENTS_PER_REQUEST_MAX == 100, "sendEvents says so");
