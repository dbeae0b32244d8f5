//! Every operation of the API: the one list by which requests are routed and of which the OpenAPI
//! document is made. What is not here is neither served nor described.

mod list;

pub(crate) use list::OPERATIONS;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use waxseal_domain::api_key::Scope;

/// One operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// What answers it.
    pub(crate) handler: Handler,
    /// Its method and path: `POST /v1/tenants/{tenant}/events`.
    pub(crate) line: &'static str,
    /// Its name in clients.
    pub(crate) id: &'static str,
    /// Who may call it.
    pub(crate) access: Access,
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// More of it.
    pub(crate) about: &'static str,
    /// Of the query and the headers.
    pub(crate) parameters: &'static [Parameter],
    /// What it takes.
    pub(crate) body: Option<Taken>,
    /// What it answers.
    pub(crate) answers: &'static [Answered],
    /// Problems beside those that follow from access, parameters and body.
    pub(crate) problems: &'static [u16],
}

/// What answers an operation: each has one arm in the router.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Of no tenant.
    Outside(Outside),
    /// Of one tenant.
    Inside(Inside),
    /// Another function.
    Elsewhere,
}

/// Operations of no tenant.
#[derive(Clone, Copy)]
pub(crate) enum Outside {
    Health,
    OpenApi,
    Reference,
    Profiles,
    Profile,
    PutProfile,
    Verify,
    WebhookKeys,
    WhoAmI,
    Status,
    Tenants,
    CreateTenant,
    EventContent,
}

/// Operations of one tenant.
#[derive(Clone, Copy)]
pub(crate) enum Inside {
    Events,
    Event,
    ExpungeEvent,
    CreateEndpoint,
    Endpoints,
    Endpoint,
    ChangeEndpoint,
    DeleteEndpoint,
    TestEndpoint,
    RotateSecret,
    EnableEndpoint,
    DisableEndpoint,
    Recover,
    Match,
    MatchDraft,
    EndpointDeliveries,
    Delivery,
    Replay,
    Cancel,
    Keys,
    CreateKey,
    DeleteKey,
    EventTypes,
    EventType,
    PutEventType,
    DeleteEventType,
    Sources,
    Source,
    PutSource,
    DeleteSource,
    Audit,
}

/// Who may call an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// Whoever has a key.
    Key,
    /// The operator.
    Operator,
    /// A key of the path's tenant with this scope, and the operator.
    Tenant(Scope),
}

/// A parameter of the query, or a header.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name; a header's has capitals.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// Its JSON Schema.
    pub(crate) schema: fn() -> Value,
    /// Whether it must be there.
    pub(crate) required: bool,
}

impl Parameter {
    /// Whether it is a header.
    pub(crate) fn is_header(&self) -> bool {
        self.name.starts_with(char::is_uppercase)
    }
}

/// A body that an operation takes.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    /// What its schema is called.
    pub(crate) name: &'static str,
    /// Its JSON Schema.
    pub(crate) schema: fn() -> Value,
    /// Its content type.
    pub(crate) content_type: &'static str,
    /// Whether it may be left out.
    pub(crate) optional: bool,
    /// Shows one; none where there is none to show.
    pub(crate) example: Option<fn() -> Value>,
}

/// An answer of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Answered {
    /// Its status.
    pub(crate) status: u16,
    /// What it says.
    pub(crate) about: &'static str,
    /// Its body's JSON Schema; none where it has no body.
    pub(crate) schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Its content type.
    pub(crate) content_type: &'static str,
    /// Shows one; none where there is none to show.
    pub(crate) example: Option<fn() -> Value>,
    /// What it leads to.
    pub(crate) links: &'static [Link],
}

/// Operations that take an id of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// Where in the answer it stands.
    pub(crate) pointer: &'static str,
    /// The parameter of their paths that takes it.
    pub(crate) parameter: &'static str,
    /// Their names.
    pub(crate) to: &'static [&'static str],
}

impl Answered {
    /// An answer in JSON of this type.
    pub(crate) const fn json<T: JsonSchema>(status: u16, about: &'static str) -> Self {
        let schema: fn(&mut SchemaGenerator) -> Schema = SchemaGenerator::subschema_for::<T>;
        let content_type = "application/json";
        Self { status, about, schema: Some(schema), content_type, example: None, links: &[] }
    }

    /// An answer without a body.
    pub(crate) const fn empty(about: &'static str) -> Self {
        Self { schema: None, ..Self::json::<()>(204, about) }
    }

    /// For instance.
    pub(crate) const fn like(self, example: fn() -> Value) -> Self {
        Self { example: Some(example), ..self }
    }

    /// What it leads to.
    pub(crate) const fn linked(self, links: &'static [Link]) -> Self {
        Self { links, ..self }
    }
}

impl Operation {
    /// Its method.
    pub(crate) fn method(&self) -> &'static str {
        self.line.split_once(' ').map_or("", |(method, _)| method)
    }

    /// Its path, with parameters in braces.
    pub(crate) fn path(&self) -> &'static str {
        self.line.split_once(' ').map_or("", |(_, path)| path)
    }

    /// What the path's parameters are, where this is a path of the operation's.
    fn matches<'a>(&self, path: &'a str) -> Option<Vec<&'a str>> {
        let mut parameters = Vec::new();
        let mut wanted = self.path().split('/');
        for segment in path.split('/') {
            let expected = wanted.next()?;
            if expected.starts_with('{') && !segment.is_empty() {
                parameters.push(segment);
            } else if expected != segment {
                return None;
            }
        }
        wanted.next().is_none().then_some(parameters)
    }
}

/// What a request asks for.
pub(crate) enum Found<'a> {
    /// This, with the path's parameters, still escaped.
    Operation(&'static Operation, Vec<&'a str>),
    /// The path takes other methods: these.
    Methods(Vec<&'static str>),
    /// There is no such path.
    Nothing,
}

/// The operation of that method and path. Of two paths that fit, the one that says more itself counts.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
    let mut fitting: Vec<_> =
        OPERATIONS.iter().filter_map(|one| Some((one, one.matches(path)?))).collect();
    let fewest = fitting.iter().map(|(_, parameters)| parameters.len()).min().unwrap_or_default();
    fitting.retain(|(_, parameters)| parameters.len() == fewest);
    let methods: Vec<&str> = fitting.iter().map(|(operation, _)| operation.method()).collect();
    match fitting.into_iter().find(|(operation, _)| operation.method() == method) {
        Some((operation, parameters)) => Found::Operation(operation, parameters),
        None if methods.is_empty() => Found::Nothing,
        None => Found::Methods(methods),
    }
}
