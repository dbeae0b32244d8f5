//! Templates: text with `{variables}` in it.

/// A template that was read, as its pieces in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) Vec<Part>);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text, as it is.
    Text(String),
    /// A variable, by its name.
    Variable(String),
}

impl Template {
    /// Reads a template whose variables are among `known`; says what is wrong with it otherwise.
    pub(crate) fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("a { has no }")?;
            if !known.contains(&name) {
                return Err(format!(
                    "{{{name}}} is not one of its variables: {}",
                    known.join(", ")
                ));
            }
            push_text(&mut parts, before)?;
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        push_text(&mut parts, rest)?;
        Ok(Self(parts))
    }

    /// The text, with each variable's value; none if one has no value.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.clone()),
                Part::Variable(name) => value(name),
            })
            .collect()
    }

    /// Whether the variable is in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.count(name) > 0
    }

    /// How often the variable is in it.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|part| matches!(part, Part::Variable(found) if found == name)).count()
    }

    /// The text right after a variable, where text follows it.
    pub(crate) fn after(&self, name: &str) -> Option<&str> {
        let place = self
            .0
            .iter()
            .position(|part| matches!(part, Part::Variable(found) if found == name))?;
        match self.0.get(place + 1)? {
            Part::Text(text) => Some(text),
            Part::Variable(_) => None,
        }
    }

    /// Splits the template at each `join` in its text, as `str::split` does.
    pub(crate) fn split(&self, join: &str) -> Vec<Self> {
        let (mut pieces, mut piece) = (Vec::new(), Vec::new());
        for part in &self.0 {
            let Part::Text(text) = part else {
                piece.push(part.clone());
                continue;
            };
            for (index, text) in text.split(join).enumerate() {
                if index > 0 {
                    pieces.push(Self(std::mem::take(&mut piece)));
                }
                if !text.is_empty() {
                    piece.push(Part::Text(text.to_owned()));
                }
            }
        }
        pieces.push(Self(piece));
        pieces
    }

    /// Whether two variables touch: nobody could say where one ends.
    pub(crate) fn has_touching_variables(&self) -> bool {
        self.0.array_windows().any(|pair| matches!(pair, [Part::Variable(_), Part::Variable(_)]))
    }

    /// The text before and after the only variable; none where there are others.
    pub(crate) fn around(&self, name: &str) -> Option<Around> {
        let (before, found, after) = match self.0.as_slice() {
            [Part::Variable(found)] => ("", found, ""),
            [Part::Text(before), Part::Variable(found)] => (before.as_str(), found, ""),
            [Part::Variable(found), Part::Text(after)] => ("", found, after.as_str()),
            [Part::Text(before), Part::Variable(found), Part::Text(after)] => {
                (before.as_str(), found, after.as_str())
            }
            _ => return None,
        };
        (found == name).then(|| Around { before: before.to_owned(), after: after.to_owned() })
    }
}

/// The text that stands before and after the only variable of a template.
pub(crate) struct Around {
    pub(crate) before: String,
    pub(crate) after: String,
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), String> {
    if text.contains('}') {
        return Err("a } has no {".to_owned());
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_its_variables() {
        let template = Template::parse("t={timestamp},{id}", &["timestamp", "id"]).unwrap();
        let value = |name: &str| (name == "id").then(|| "7".to_owned());
        assert_eq!(template.fill(value), None);
        assert_eq!(template.fill(|name| Some(name.to_uppercase())).unwrap(), "t=TIMESTAMP,ID");
        assert_eq!(template.after("timestamp"), Some(","));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bad in ["{nonce}", "{id", "id}", "{}", "{{id}}"] {
            assert!(Template::parse(bad, &["id"]).is_err(), "{bad}");
        }
    }
}
