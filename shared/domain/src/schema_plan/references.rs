//! Which schemas of a document a reference may mean: by JSON pointer, by anchor, or by the URI of a schema that
//! names its own.

use std::collections::HashMap;

use serde_json::{Map, Value};
use url::Url;

use crate::json::Fault;

/// The URI of a schema that names none.
const DEFAULT_URI: &str = "json-schema:///";

/// Keywords whose value is one schema, or a list of them.
pub(super) const SCHEMAS: [&str; 16] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is an object of schemas.
pub(super) const MAPS: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// The place of a resource, which is a schema that names its own URI, among those of a document.
pub(super) type ResourceId = usize;

struct Resource<'a> {
    uri: Url,
    root: &'a Value,
    /// The one around it; its own where it is the document.
    around: ResourceId,
}

/// A schema that a reference means, and the resource that it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) schema: &'a Value,
    pub(super) resource: ResourceId,
}

/// All that references of a document can mean.
pub(super) struct References<'a> {
    id_keyword: &'static str,
    resources: Vec<Resource<'a>>,
    by_address: HashMap<usize, ResourceId>,
    anchors: HashMap<&'a str, Vec<Target<'a>>>,
    dynamic_anchors: HashMap<&'a str, Vec<Target<'a>>>,
    recursive_anchors: Vec<Target<'a>>,
}

/// Where a value is: no two live values share it.
pub(super) fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

impl<'a> References<'a> {
    /// Finds every name of a document. It must be of one draft, since drafts name differently.
    pub(super) fn of(document: &'a Value) -> Result<Self, Fault> {
        let draft = document.get("$schema").and_then(Value::as_str).unwrap_or_default();
        let uri = Url::parse(DEFAULT_URI).expect("the default URI is one");
        let root = Resource { uri, root: document, around: 0 };
        let mut references = Self {
            id_keyword: if draft.contains("draft-04") { "id" } else { "$id" },
            resources: vec![root],
            by_address: HashMap::from([(address(document), 0)]),
            anchors: HashMap::new(),
            dynamic_anchors: HashMap::new(),
            recursive_anchors: Vec::new(),
        };
        references.scan(document, 0, draft)?;
        Ok(references)
    }

    fn scan(&mut self, schema: &'a Value, around: ResourceId, draft: &str) -> Result<(), Fault> {
        if let Value::Array(list) = schema {
            return list.iter().try_for_each(|schema| self.scan(schema, around, draft));
        }
        let Value::Object(keywords) = schema else { return Ok(()) };
        let own_draft = keywords.get("$schema").and_then(Value::as_str);
        if own_draft.is_some_and(|own| own != draft) {
            return Err(Fault::new("", "has schemas of two drafts"));
        }
        let resource = self.name(schema, keywords, around);
        for (keyword, value) in keywords {
            if SCHEMAS.contains(&keyword.as_str()) {
                self.scan(value, resource, draft)?;
            } else if MAPS.contains(&keyword.as_str()) {
                let schemas = value.as_object().into_iter().flat_map(Map::values);
                for schema in schemas {
                    self.scan(schema, resource, draft)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps the names of one schema; returns the resource that it belongs to.
    fn name(
        &mut self,
        schema: &'a Value,
        keywords: &'a Map<String, Value>,
        around: ResourceId,
    ) -> ResourceId {
        let mut resource = around;
        let text = |keyword: &str| keywords.get(keyword).and_then(Value::as_str);
        if let Some(id) = text(self.id_keyword) {
            match id.strip_prefix('#') {
                Some(anchor) => {
                    self.anchors.entry(anchor).or_default().push(Target { schema, resource });
                }
                None => resource = self.add_resource(schema, id, around),
            }
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = text(keyword) {
                self.anchors.entry(anchor).or_default().push(Target { schema, resource });
            }
        }
        if let Some(anchor) = text("$dynamicAnchor") {
            self.dynamic_anchors.entry(anchor).or_default().push(Target { schema, resource });
        }
        if keywords.get("$recursiveAnchor") == Some(&Value::Bool(true)) {
            self.recursive_anchors.push(Target { schema, resource });
        }
        resource
    }

    fn add_resource(&mut self, schema: &'a Value, id: &str, around: ResourceId) -> ResourceId {
        let joined = self.resources.get(around).and_then(|around| around.uri.join(id).ok());
        let Some(mut uri) = joined else { return around };
        uri.set_fragment(None);
        if let Some(known) = self.by_address.get(&address(schema)) {
            if let Some(resource) = self.resources.get_mut(*known) {
                resource.uri = uri;
            }
            return *known;
        }
        let added = self.resources.len();
        self.resources.push(Resource { uri, root: schema, around });
        self.by_address.insert(address(schema), added);
        added
    }

    /// Lists what `$ref` may mean in a schema of a resource.
    pub(super) fn of_ref(
        &self,
        text: &str,
        resource: ResourceId,
        names_itself: bool,
    ) -> Result<Vec<Target<'a>>, Fault> {
        let mut found = self.resolve(text, resource);
        // Old drafts read no name beside a reference: it is one of the schema around.
        if names_itself && let Some(own) = self.resources.get(resource) {
            found.extend(self.resolve(text, own.around));
        }
        if found.is_empty() {
            let detail = format!("is not a JSON Schema that can be used: there is no {text} in it");
            return Err(Fault::new("", &detail));
        }
        Ok(found)
    }

    /// Lists what `$dynamicRef` may mean: which of them, the way to it decides.
    pub(super) fn of_dynamic_ref(
        &self,
        text: &str,
        resource: ResourceId,
    ) -> Result<Vec<Target<'a>>, Fault> {
        let mut found = self.of_ref(text, resource, false)?;
        let name = text.split_once('#').map_or("", |(_, name)| name);
        found.extend(self.dynamic_anchors.get(name).into_iter().flatten());
        Ok(found)
    }

    /// Lists what `$recursiveRef` may mean.
    pub(super) fn of_recursive_ref(&self, resource: ResourceId) -> Vec<Target<'a>> {
        let mut found = self.resolve("#", resource);
        found.extend(&self.recursive_anchors);
        found
    }

    fn resolve(&self, text: &str, resource: ResourceId) -> Vec<Target<'a>> {
        let (uri, fragment) = text.split_once('#').unwrap_or((text, ""));
        let roots: Vec<ResourceId> = if uri.is_empty() {
            vec![resource]
        } else {
            let base = self.resources.get(resource);
            let Some(meant) = base.and_then(|base| base.uri.join(uri).ok()) else {
                return Vec::new();
            };
            let all = self.resources.iter().enumerate();
            all.filter(|(_, found)| found.uri == meant).map(|(id, _)| id).collect()
        };
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() || fragment.starts_with('/') {
            roots.into_iter().filter_map(|root| self.follow(root, &fragment)).collect()
        } else if roots.is_empty() {
            Vec::new()
        } else {
            self.anchors.get(fragment.as_str()).cloned().unwrap_or_default()
        }
    }

    fn follow(&self, root: ResourceId, pointer: &str) -> Option<Target<'a>> {
        let mut target = Target { schema: self.resources.get(root)?.root, resource: root };
        for segment in pointer.split('/').skip(1) {
            let name = segment.replace("~1", "/").replace("~0", "~");
            target.schema = match target.schema {
                Value::Object(members) => members.get(&name)?,
                Value::Array(items) => items.get(name.parse::<usize>().ok()?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
            let named = self.by_address.get(&address(target.schema)).copied();
            target.resource = named.unwrap_or(target.resource);
        }
        Some(target)
    }

    /// Whether the schema names its own URI.
    pub(super) fn names_itself(&self, schema: &Value) -> bool {
        self.by_address.contains_key(&address(schema))
    }

    /// The resource that a schema below one of `around` belongs to.
    pub(super) fn resource_of(&self, schema: &Value, around: ResourceId) -> ResourceId {
        self.by_address.get(&address(schema)).copied().unwrap_or(around)
    }
}

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        match part.get(..2).and_then(|pair| hex::decode(pair).ok()) {
            Some(decoded) => {
                bytes.extend(decoded);
                bytes.extend(part.bytes().skip(2));
            }
            None => bytes.extend(format!("%{part}").bytes()),
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}
