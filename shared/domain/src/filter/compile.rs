//! From a pattern's JSON to a filter: every fault named by its pointer.

use super::{ALTERNATIVES_MAX, Comparison, DEPTH_MAX, Field, Rule, Scalar, Test};
use crate::json::{Fault, Json, escape_pointer};

const OPERATORS: &str = "prefix, numeric, exists and anything-but";

pub(super) fn compile(pattern: &Json<'_>) -> Result<Vec<Field>, Vec<Fault>> {
    let mut compiler = Compiler::default();
    let fields = compiler.fields("", pattern, 1);
    if compiler.alternatives > ALTERNATIVES_MAX {
        compiler.fault("", &format!("has more than {ALTERNATIVES_MAX} alternatives"));
    }
    if compiler.faults.is_empty() { Ok(fields) } else { Err(compiler.faults) }
}

#[derive(Default)]
struct Compiler {
    faults: Vec<Fault>,
    alternatives: usize,
}

impl Compiler {
    fn fault(&mut self, pointer: &str, detail: &str) {
        self.faults.push(Fault::new(pointer, detail));
    }

    fn fields(&mut self, pointer: &str, pattern: &Json<'_>, depth: usize) -> Vec<Field> {
        let Json::Object(members) = pattern else {
            self.fault(pointer, &format!("must be an object of fields, not {}", pattern.kind()));
            return Vec::new();
        };
        if members.is_empty() {
            self.fault(pointer, "has no fields");
        }
        if depth > DEPTH_MAX {
            self.fault(pointer, &format!("is nested deeper than {DEPTH_MAX} levels"));
            return Vec::new();
        }
        let field = |(name, value): &(std::borrow::Cow<'_, str>, Json<'_>)| {
            let pointer = format!("{pointer}/{}", escape_pointer(name));
            self.field(name, &pointer, value, depth)
        };
        members.iter().filter_map(field).collect()
    }

    fn field(
        &mut self,
        name: &str,
        pointer: &str,
        value: &Json<'_>,
        depth: usize,
    ) -> Option<Field> {
        if name.starts_with('$') {
            self.fault(
                pointer,
                &format!("the operator {name} is not known; known are {OPERATORS}"),
            );
            return None;
        }
        let rule = match value {
            Json::Object(_) => Rule::Within(self.fields(pointer, value, depth + 1)),
            Json::Array(items) if items.is_empty() => {
                self.fault(pointer, "has no alternatives");
                return None;
            }
            Json::Array(items) => {
                let tests = items.iter().enumerate();
                let test = |(index, item)| self.test(&format!("{pointer}/{index}"), item);
                Rule::AnyOf(tests.filter_map(test).collect())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                let detail = "must be an array of alternatives, or an object of fields";
                self.fault(pointer, detail);
                return None;
            }
        };
        Some(Field { name: name.to_owned(), rule })
    }

    fn test(&mut self, pointer: &str, item: &Json<'_>) -> Option<Test> {
        self.alternatives += 1;
        let Json::Object(members) = item else {
            return self.scalar(pointer, item).map(Test::Is);
        };
        let [(operator, operand)] = members.as_slice() else {
            self.fault(pointer, "must have exactly one operator");
            return None;
        };
        let pointer = format!("{pointer}/{}", escape_pointer(operator));
        match operator.as_ref() {
            "prefix" => self.text(&pointer, operand).map(Test::Prefix),
            "numeric" => self.numeric(&pointer, operand).map(Test::Numeric),
            "exists" => match operand {
                Json::Bool(wanted) => Some(Test::Exists(*wanted)),
                Json::Null
                | Json::Number(_)
                | Json::String(_)
                | Json::Array(_)
                | Json::Object(_) => self.refuse(&pointer, "must be true or false"),
            },
            "anything-but" => self.anything_but(&pointer, operand),
            unknown => {
                let detail = format!("the operator {unknown} is not known; known are {OPERATORS}");
                self.refuse(&pointer, &detail)
            }
        }
    }

    fn refuse<T>(&mut self, pointer: &str, detail: &str) -> Option<T> {
        self.fault(pointer, detail);
        None
    }

    fn text(&mut self, pointer: &str, operand: &Json<'_>) -> Option<String> {
        match operand.as_str().filter(|text| !text.is_empty()) {
            Some(text) => Some(text.to_owned()),
            None => self.refuse(pointer, "must be text, not empty"),
        }
    }

    fn scalar(&mut self, pointer: &str, value: &Json<'_>) -> Option<Scalar> {
        match value {
            Json::Null => Some(Scalar::Null),
            Json::Bool(flag) => Some(Scalar::Bool(*flag)),
            Json::String(text) => Some(Scalar::Text(text.to_string())),
            Json::Number(_) => match value.as_f64().filter(|number| number.is_finite()) {
                Some(number) => Some(Scalar::Number(number)),
                None => self.refuse(pointer, "is a number out of range"),
            },
            Json::Array(_) | Json::Object(_) => {
                self.refuse(pointer, &format!("must be a single value, not {}", value.kind()))
            }
        }
    }

    fn numeric(&mut self, pointer: &str, operand: &Json<'_>) -> Option<Vec<(Comparison, f64)>> {
        const SHAPE: &str = "must be one or two comparisons, as [\">\", 0, \"<=\", 5]";
        let Json::Array(items) = operand else { return self.refuse(pointer, SHAPE) };
        if !matches!(items.len(), 2 | 4) {
            return self.refuse(pointer, SHAPE);
        }
        let pairs: Option<Vec<_>> = items.chunks_exact(2).map(comparison).collect();
        let Some(pairs) = pairs else { return self.refuse(pointer, SHAPE) };
        if let [(low, from), (high, to)] = pairs.as_slice()
            && !(low.is_lower() && high.is_upper() && from < to)
        {
            return self.refuse(pointer, "of two comparisons, the first is > or >=, the second < or <=, and the range is not empty");
        }
        Some(pairs)
    }

    fn anything_but(&mut self, pointer: &str, operand: &Json<'_>) -> Option<Test> {
        match operand {
            Json::Object(members) => match members.as_slice() {
                [(operator, operand)] if operator == "prefix" => {
                    self.text(&format!("{pointer}/prefix"), operand).map(Test::AnythingButPrefix)
                }
                _ => self.refuse(pointer, "takes values, a list of values, or {\"prefix\": text}"),
            },
            Json::Array(items) if items.is_empty() => self.refuse(pointer, "has no values"),
            Json::Array(items) => {
                let items = items.iter().enumerate();
                let scalar = |(index, item)| self.scalar(&format!("{pointer}/{index}"), item);
                Some(Test::AnythingBut(items.filter_map(scalar).collect()))
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                self.scalar(pointer, operand).map(|scalar| Test::AnythingBut(vec![scalar]))
            }
        }
    }
}

fn comparison(pair: &[Json<'_>]) -> Option<(Comparison, f64)> {
    let [operator, bound] = pair else { return None };
    let comparison = match operator.as_str()? {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        "=" => Comparison::Equal,
        ">=" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        _ => return None,
    };
    Some((comparison, bound.as_f64().filter(|bound| bound.is_finite())?))
}

impl Comparison {
    fn is_lower(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    fn is_upper(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }
}
