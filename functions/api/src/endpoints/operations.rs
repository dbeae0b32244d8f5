//! The operations on endpoints.

use serde_json::json;
use waxseal_api_types::endpoint::{
    MatchChanges, MatchResult, NewRecovery, NewTest, Recovery, Rotation, Secret, TestResult,
};
use waxseal_api_types::{CreatedEndpoint, Endpoint, EndpointChanges, List, NewEndpoint};
use waxseal_flows::ports::Engine;

use super::{changes, matching, recovery, secrets, test_event};
use crate::operation::{
    Description, Handler, Link, MANAGE, Operation, PAGE, Parameter, RequestBody, Success, json_of,
};

const IF_MATCH: Parameter = Parameter::optional(
    "If-Match",
    "Makes the request conditional: send the `ETag` with which you read the endpoint. If the endpoint was \
     changed since, nothing is done and the answer is 412. `*` stands for any version.",
    || json!({"type": "string", "maxLength": 64}),
);
const IDEMPOTENCY_KEY: Parameter = Parameter::optional(
    "Idempotency-Key",
    "Makes the request safe to repeat: send any text of your own, a new one for each endpoint. A repeated \
     request creates no second endpoint and gets the answer of the first one. For a day it shows the secret \
     again, unless the secret was rotated. If the body differs from the first one, the answer is 422.",
    || json!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"}),
);
const PING: Parameter = Parameter::optional(
    "ping",
    "Decides whether a test event is sent to the new endpoint at once. `false` sends none.",
    || json!({"type": "string", "enum": ["true", "false"], "default": "true"}),
);

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

/// The endpoint after a request that changed it.
const CHANGED: Success = Success::json::<Endpoint>(200, "Returns the endpoint as it is now.")
    .with_example(|| json_of(&Endpoint::example()));

impl<E: Engine> Operation<E> {
    /// The operations on endpoints.
    pub(crate) const ON_ENDPOINTS: &'static [Self] = &[
        Operation {
            handler: Handler::MaybeNewTenant(|call, _| Box::pin(super::create(call))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints",
                id: "createEndpoint",
                summary: "Create an endpoint",
                about: "Creates an endpoint and sends it a test event at once. The endpoint is created \
                        even if the test event fails. The answer shows the `secret` that signs \
                        deliveries; it is never shown again. A tenant that does not exist is created \
                        if the operator's key makes the request.",
                parameters: &[PING, IDEMPOTENCY_KEY],
                body: Some(RequestBody::required("NewEndpoint", changes::describe_draft, || {
                    json_of(&NewEndpoint::example())
                })),
                answers: &[Success::json::<CreatedEndpoint>(
                    201,
                    "Returns the endpoint, its secret, and what the test event came to.",
                )
                .with_example(|| json_of(&CreatedEndpoint::example()))
                .with_links(&[ENDPOINT_LINK])],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(super::list(call))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/endpoints",
                id: "listEndpoints",
                summary: "List the endpoints of a tenant, newest first",
                parameters: PAGE,
                answers: &[Success::json::<List<Endpoint>>(200, "Returns a page of endpoints.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(super::show(call, id))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/endpoints/{endpoint}",
                id: "getEndpoint",
                summary: "Get an endpoint, the state of its circuit breaker and its last failures",
                answers: &[Success::json::<Endpoint>(
                    200,
                    "Returns the endpoint. The header `ETag` names its version, for `If-Match`.",
                )
                .with_example(|| json_of(&Endpoint::example()))],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(super::change(call, id))),
            description: Description {
                line: "PATCH /v1/tenants/{tenant}/endpoints/{endpoint}",
                id: "changeEndpoint",
                summary: "Change an endpoint",
                about: "Applies a JSON merge patch (RFC 7396): members that are left out stay as they \
                        are, and null restores the default. The secret is changed by `rotateSecret`.",
                parameters: &[IF_MATCH],
                body: Some(RequestBody::required(
                    "EndpointChanges",
                    changes::describe_patch,
                    || json_of(&EndpointChanges::example()),
                )),
                answers: &[CHANGED],
                problems: &[409, 412],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(super::delete(call, id))),
            description: Description {
                line: "DELETE /v1/tenants/{tenant}/endpoints/{endpoint}",
                id: "deleteEndpoint",
                summary: "Delete an endpoint and cancel its open deliveries",
                parameters: &[IF_MATCH],
                answers: &[Success::empty("Confirms that the endpoint is deleted.")],
                problems: &[409, 412],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(test_event::test(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/{endpoint}/test",
                id: "testEndpoint",
                summary: "Send a test event to an endpoint and return the receiver's response",
                about: "Sends one signed event at once, by the same rules as any delivery. A failed \
                        attempt is not an error of this request: the answer is 200 and tells what \
                        happened. The test event is not stored and not retried.",
                body: Some(RequestBody::optional("NewTest", test_event::describe, || {
                    json_of(&NewTest::example())
                })),
                answers: &[Success::json::<TestResult>(
                    200,
                    "Returns what was sent and how the receiver responded.",
                )],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(secrets::rotate(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/{endpoint}/rotate-secret",
                id: "rotateSecret",
                summary: "Replace the secret of an endpoint",
                about: "Sets a new secret, or makes one. Until the overlap ends, deliveries are signed with both \
                        secrets, or with the previous one alone where the profile has room for only one \
                        signature. So the receiver can change over without missing a delivery.",
                body: Some(RequestBody::optional("Rotation", secrets::describe_rotation, || {
                    json_of(&Rotation::example())
                })),
                answers: &[Success::json::<Secret>(
                    200,
                    "Returns the new secret. It is never shown again.",
                )],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(super::enable(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/{endpoint}/enable",
                id: "enableEndpoint",
                summary: "Enable an endpoint, so that it gets events",
                about: "Events that were accepted while the endpoint was disabled are not sent to it. \
                        `recoverDeliveries` sends them.",
                answers: &[CHANGED],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(super::disable(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/{endpoint}/disable",
                id: "disableEndpoint",
                summary: "Disable an endpoint, so that it gets no events",
                about: "Ends the open deliveries of the endpoint: they fail, with the reason \
                        `endpoint_disabled`. To keep them until later, change `paused` instead.",
                answers: &[CHANGED],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(recovery::recover_deliveries(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/{endpoint}/recover",
                id: "recoverDeliveries",
                summary: "Send again what failed or went missing since a time",
                about: "Queues deliveries of an endpoint again, or with `dry_run` only counts them. One \
                        request handles a limited number. If the answer has a `cursor`, repeat the \
                        request with it.",
                body: Some(RequestBody::required("NewRecovery", recovery::describe, || {
                    json_of(&NewRecovery::example())
                })),
                answers: &[
                    Success::json::<Recovery>(
                        200,
                        "Returns how many deliveries would be queued. This answers a dry run.",
                    ),
                    Success::json::<Recovery>(202, "Returns how many deliveries were queued."),
                ],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(matching::match_events(call, Some(id)))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/{endpoint}/match",
                id: "matchEndpoint",
                summary: "Show which recent events an endpoint would get if it were changed",
                about: "Runs the last stored events through the endpoint's subscription, with the \
                        changes in the body, and shows each as it would be sent. Nothing is sent or \
                        saved.",
                body: Some(RequestBody::optional("MatchChanges", matching::describe, || {
                    json_of(&MatchChanges::example())
                })),
                answers: &[MATCHED],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(matching::match_events(call, None))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/endpoints/match",
                id: "matchDraft",
                summary: "Show which recent events a new endpoint would get",
                about: "Runs the last stored events through the subscription in the body, and shows each \
                        as it would be sent. Nothing is created, sent or saved.",
                body: Some(RequestBody::optional("MatchDraft", matching::describe, || {
                    json_of(&MatchChanges::draft_example())
                })),
                answers: &[MATCHED],
                ..Description::plain(MANAGE)
            },
        },
    ];
}

const MATCHED: Success =
    Success::json::<MatchResult>(200, "Returns what would become of each event, newest first.");
