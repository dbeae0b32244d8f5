//! The deployment itself: whether it serves, how its parts are, its public keys, and this API's own document.

mod status;
mod webhook_keys;

use serde_json::{Map, Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{KeySet, Serving, Status};
use waxseal_flows::ports::Engine;

use crate::operation::{Access, Description, Handler, Operation, Parameter, Success, json_of};

/// The page that shows the OpenAPI document.
const REFERENCE: &str = include_str!("reference.html");

impl<E: Engine> Operation<E> {
    /// The operations on the deployment.
    pub(crate) const ON_DEPLOYMENT: &'static [Self] = &[
        Operation {
            handler: Handler::Global(|call| Box::pin(webhook_keys::show(call))),
            description: Description {
                line: "GET /.well-known/webhook-keys",
                id: "getWebhookKeys",
                summary: "Get the public keys of endpoints whose deliveries are signed with ed25519",
                about: "Returns a JWK Set (RFC 7517). While a secret is rotated, the set holds both of the \
                        endpoint's keys. Without `tenant` it covers the first twenty tenants only.",
                parameters: &[
                    Parameter::optional(
                        "tenant",
                        "Selects the keys of this tenant's endpoints.",
                        || json!({"type": "string", "maxLength": 64}),
                    ),
                    Parameter::optional(
                        "endpoint",
                        "Selects the keys of this endpoint.",
                        || json!({"type": "string", "maxLength": 64}),
                    ),
                ],
                answers: &[Success::json::<KeySet>(200, "Returns the public keys.")],
                problems: &[404],
                ..Description::plain(Access::Public)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(status::check(call))),
            description: Description {
                line: "GET /v1/status",
                id: "getStatus",
                summary: "Check the parts of the deployment: store, key vault, clock, queues and alarms, or the machine",
                answers: &[Success::json::<Status>(200, "Returns one check for each part.")],
                ..Description::plain(Access::Operator)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(status::serving(call))),
            description: Description {
                line: "GET /healthz",
                id: "getHealth",
                summary: "Check whether the server serves requests",
                about: "Where a part does not work without which nothing is served, the answer is 503 and \
                        names it. The look at each part is repeated every few seconds at the most.",
                answers: &[Success::json::<Serving>(200, "Confirms that it does.")
                    .with_example(|| json_of(&Serving::ok()))],
                ..Description::plain(Access::Public)
            },
        },
        Operation {
            handler: Handler::Global(|_| {
                Box::pin(async { Ok(http::json_text(200, crate::openapi_text::<E>())) })
            }),
            description: Description {
                line: "GET /openapi.json",
                id: "getOpenApi",
                summary: "Get this document, for programs",
                answers: &[Success::json::<Map<String, Value>>(
                    200,
                    "Returns the OpenAPI 3.1 document of this API.",
                )],
                ..Description::plain(Access::Public)
            },
        },
        Operation {
            handler: Handler::Global(|_| Box::pin(async { Ok(http::page(REFERENCE)) })),
            description: Description {
                line: "GET /docs",
                id: "getReference",
                summary: "Read this document, as a web page",
                answers: &[Success {
                    content_type: "text/html",
                    ..Success::json::<String>(200, "Returns the web page.")
                }],
                ..Description::plain(Access::Public)
            },
        },
    ];
}
