//! Makes a plan of a schema: follows every reference, and leaves out what nothing refers to.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::SchemaPlan;
use super::count::size;
use super::node::{Node, NodeId, Union};
use super::pattern::Pattern;
use super::references::{References, ResourceId, Target, address};
use crate::json::Fault;
use crate::limits::SCHEMA_COMPILED_NODES_MAX;

/// Branches from which on a validator looks for the member that tells them apart.
const TAGGED_BRANCHES_MIN: usize = 3;

/// A schema that has a place in the plan and is still to be read.
struct Waiting<'a> {
    id: NodeId,
    target: Target<'a>,
}

/// Reads schemas until no reference leads to another. Nothing here calls itself by a reference, so that a long
/// chain of them takes no stack.
pub(super) struct Builder<'a> {
    document: &'a Value,
    references: References<'a>,
    /// Whether the schema is of the current draft: what older ones would read otherwise is then known.
    is_current: bool,
    nodes: Vec<Node>,
    known: HashMap<(usize, ResourceId), NodeId>,
    waiting: Vec<Waiting<'a>>,
    patterns: BTreeSet<String>,
    pattern_bytes: u64,
    /// Which resource leads into which.
    crossings: BTreeSet<(ResourceId, ResourceId)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(document: &'a Value) -> Result<Self, Fault> {
        let draft = document.get("$schema").and_then(Value::as_str);
        Ok(Self {
            document,
            references: References::of(document)?,
            is_current: draft.is_none_or(|draft| draft.contains("2020-12")),
            nodes: Vec::new(),
            known: HashMap::new(),
            waiting: Vec::new(),
            patterns: BTreeSet::new(),
            pattern_bytes: 0,
            crossings: BTreeSet::new(),
        })
    }

    pub(super) fn build(mut self) -> Result<SchemaPlan, Fault> {
        let root = self.node(Target { schema: self.document, resource: 0 }, 0);
        while let Some(Waiting { id, target }) = self.waiting.pop() {
            let node = self.read(target)?;
            if let Some(place) = self.nodes.get_mut(id) {
                *place = node;
            }
        }
        let scopes = scopes(&self.crossings, &mut vec![0]);
        let Self { nodes, patterns, pattern_bytes, .. } = self;
        Ok(SchemaPlan { nodes, root, patterns, pattern_bytes, scopes })
    }

    /// The place of a schema, which is read later where it is a new one. It is come to from a resource.
    fn node(&mut self, target: Target<'a>, from: ResourceId) -> NodeId {
        let resource = self.references.resource_of(target.schema, target.resource);
        if resource != from {
            self.crossings.insert((from, resource));
        }
        let key = (address(target.schema), resource);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let id = self.nodes.len();
        self.nodes.push(Node::default());
        self.known.insert(key, id);
        self.waiting.push(Waiting { id, target: Target { schema: target.schema, resource } });
        id
    }

    fn nodes(&mut self, targets: Vec<Target<'a>>, from: ResourceId) -> Vec<NodeId> {
        let mut found: Vec<NodeId> =
            targets.into_iter().map(|target| self.node(target, from)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn read(&mut self, target: Target<'a>) -> Result<Node, Fault> {
        let mut node = Node { fixed: 1, ..Node::default() };
        let Value::Object(keywords) = target.schema else { return Ok(node) };
        let Target { schema, resource } = target;
        for (keyword, value) in keywords {
            node.fixed = node.fixed.saturating_add(1);
            match keyword.as_str() {
                "$ref" => {
                    let names_itself = self.references.names_itself(schema);
                    let text = value.as_str().unwrap_or_default();
                    let meant = self.references.of_ref(text, resource, names_itself)?;
                    node.references.push(self.nodes(meant, resource));
                }
                "$dynamicRef" => {
                    let text = value.as_str().unwrap_or_default();
                    let meant = self.references.of_dynamic_ref(text, resource)?;
                    node.references.push(self.nodes(meant, resource));
                }
                "$recursiveRef" => {
                    let meant = self.references.of_recursive_ref(resource);
                    node.references.push(self.nodes(meant, resource));
                }
                _ => self.read_applicator(&mut node, keyword, value, keywords, resource),
            }
        }
        Ok(node)
    }

    /// Reads a keyword that holds schemas; any other is an assertion. A keyword that no draft knows is neither:
    /// validators pass it over.
    fn read_applicator(
        &mut self,
        node: &mut Node,
        keyword: &str,
        value: &'a Value,
        keywords: &'a Map<String, Value>,
        resource: ResourceId,
    ) {
        match keyword {
            "allOf" => node.in_place.extend(self.list(value, resource)),
            "anyOf" | "oneOf" => {
                let is_tagged = self.is_current && self.is_tagged(value, resource);
                node.unions.push(Union { branches: self.list(value, resource), is_tagged });
            }
            "not" | "if" | "then" | "else" => node.in_place.push(self.one(value, resource)),
            "dependentSchemas" | "dependencies" => {
                let schemas = value.as_object().into_iter().flat_map(Map::values);
                for schema in schemas.filter(|schema| !schema.is_array()) {
                    node.fixed = node.fixed.saturating_add(1);
                    node.in_place.push(self.one(schema, resource));
                }
            }
            "properties" => {
                for (name, schema) in value.as_object().into_iter().flatten() {
                    node.fixed = node.fixed.saturating_add(1);
                    node.properties.insert(name.clone(), self.one(schema, resource));
                }
            }
            "patternProperties" => {
                for (text, schema) in value.as_object().into_iter().flatten() {
                    let pattern = self.pattern(text);
                    node.pattern_properties.push((pattern, self.one(schema, resource)));
                }
            }
            "additionalProperties" => {
                node.additional_properties = Some(self.one(value, resource));
            }
            "unevaluatedProperties" => {
                node.unevaluated_properties = Some(self.one(value, resource));
            }
            "propertyNames" => node.property_names = Some(self.one(value, resource)),
            "prefixItems" => node.prefix_items.extend(self.list(value, resource)),
            "items" if value.is_array() => node.prefix_items.extend(self.list(value, resource)),
            "items" => {
                let prefix = keywords.get("prefixItems").and_then(Value::as_array);
                let from = if self.is_current { prefix.map_or(0, Vec::len) } else { 0 };
                node.items.push((from, self.one(value, resource)));
            }
            "additionalItems" => {
                let prefix = keywords.get("items").and_then(Value::as_array);
                node.items.push((prefix.map_or(0, Vec::len), self.one(value, resource)));
            }
            "contains" => node.contains = Some(self.one(value, resource)),
            "unevaluatedItems" => node.unevaluated_items = Some(self.one(value, resource)),
            _ => self.read_assertion(node, keyword, value),
        }
    }

    fn read_assertion(&mut self, node: &mut Node, keyword: &str, value: &Value) {
        match keyword {
            "enum" | "const" => node.fixed = node.fixed.saturating_add(size(value)),
            "required" | "dependentRequired" | "type" => {
                node.fixed = node.fixed.saturating_add(size(value));
            }
            "pattern" => node.pattern = value.as_str().map(|text| self.pattern(text)),
            "format" | "contentMediaType" | "contentEncoding" => node.reads_text = true,
            "uniqueItems" => node.unique_items = value == &Value::Bool(true),
            _ => {}
        }
    }

    fn one(&mut self, schema: &'a Value, resource: ResourceId) -> NodeId {
        self.node(Target { schema, resource }, resource)
    }

    fn list(&mut self, schemas: &'a Value, resource: ResourceId) -> Vec<NodeId> {
        let schemas = schemas.as_array().map_or([].as_slice(), Vec::as_slice);
        schemas.iter().map(|schema| self.one(schema, resource)).collect()
    }

    fn pattern(&mut self, text: &str) -> Pattern {
        let pattern = Pattern::of(text);
        if self.patterns.insert(text.to_owned()) {
            self.pattern_bytes = self.pattern_bytes.saturating_add(pattern.bytes());
        }
        pattern
    }

    /// Whether each branch requires a member with a text of its own, by which a validator finds the one branch
    /// to try.
    fn is_tagged(&self, branches: &Value, resource: ResourceId) -> bool {
        let Some(branches) = branches.as_array() else { return false };
        if branches.len() < TAGGED_BRANCHES_MIN {
            return false;
        }
        let tags: Vec<HashMap<&str, &str>> =
            branches.iter().map(|branch| self.tags(branch, resource)).collect();
        let Some(first) = tags.first() else { return false };
        first.keys().any(|name| {
            let texts: Option<BTreeSet<&str>> =
                tags.iter().map(|tags| tags.get(name).copied()).collect();
            texts.is_some_and(|texts| texts.len() == branches.len())
        })
    }

    /// The members that a schema requires to be one text, by name: its own, or those of the schema that it refers to.
    fn tags<'s>(&'s self, schema: &'s Value, resource: ResourceId) -> HashMap<&'s str, &'s str> {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            None => schema,
            Some(text) => match self.references.of_ref(text, resource, false).as_deref() {
                Ok([only]) => only.schema,
                _ => schema,
            },
        };
        let required = schema.get("required").and_then(Value::as_array);
        let names = required.into_iter().flatten().filter_map(Value::as_str);
        let text = |name: &str| {
            let property = schema.get("properties")?.get(name)?;
            match (property.get("const"), property.get("enum").and_then(Value::as_array)) {
                (Some(text), _) => text.as_str(),
                (None, Some(texts)) if texts.len() == 1 => texts.first()?.as_str(),
                (None, _) => None,
            }
        };
        names.filter_map(|name| Some((name, text(name)?))).collect()
    }
}

/// Counts the ways that lead from the document through its resources, none twice: a validator compiles a resource anew
/// for each way to it, since what a dynamic reference means depends on the way.
fn scopes(crossings: &BTreeSet<(ResourceId, ResourceId)>, way: &mut Vec<ResourceId>) -> usize {
    let mut count: usize = 1;
    let last = way.last().copied().unwrap_or(0);
    for (_, next) in crossings.range((last, 0)..=(last, usize::MAX)) {
        if !way.contains(next) && count < SCHEMA_COMPILED_NODES_MAX {
            way.push(*next);
            count = count.saturating_add(scopes(crossings, way));
            way.pop();
        }
    }
    count
}
