//! The JSON Schema of a configuration file, made from the declarations.

use crate::keys::SCOPES;
use crate::reference::paragraph;
use policy_keys::{Form, Key, Need, Scope, Shape};
use serde_json::{Map, Value, json};

/// The whole schema, as text with a final newline.
pub fn schema() -> String {
    let mut properties = Map::new();
    for scope in SCOPES {
        if properties.contains_key(scope.kind) {
            continue;
        }
        let of_kind: Vec<&Scope> = SCOPES
            .iter()
            .filter(|other| other.kind == scope.kind)
            .collect();
        let one = match of_kind[..] {
            [only] => section(only),
            _ => json!({ "oneOf": of_kind.iter().map(|scope| section(scope)).collect::<Vec<_>>() }),
        };
        let value = match scope.named {
            true => json!({
                "type": "object",
                "propertyNames": { "pattern": "^(?!.*__)[a-z0-9_-]+$" },
                "additionalProperties": one,
            }),
            false => one,
        };
        properties.insert(scope.kind.to_owned(), value);
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Portcullis configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    // Pretty-printing a value of our own can't fail.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn section(scope: &Scope) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    if !scope.variant.is_empty() {
        properties.insert("kind".to_owned(), json!({ "const": scope.variant }));
        required.push("kind");
    }
    for key in scope.keys {
        properties.insert(key.name.to_owned(), property(key));
        if key.need == Need::Required {
            required.push(key.name);
        }
    }
    // Not required by the words alone, but a route without it is refused.
    if scope.kind == "route" {
        required.push("auth");
    }
    let mut section = json!({
        "type": "object",
        "description": paragraph(scope.doc),
        "additionalProperties": false,
        "properties": properties,
    });
    if let (Some(map), false) = (section.as_object_mut(), required.is_empty()) {
        map.insert("required".to_owned(), json!(required));
    }
    section
}

fn property(key: &Key) -> Value {
    let one = value(&key.shape);
    let mut property = match key.shape.form {
        Form::List => {
            json!({ "type": "array", "items": value(&Shape { form: Form::Text, ..key.shape }) })
        }
        _ => one,
    };
    let Some(map) = property.as_object_mut() else {
        return property;
    };
    map.insert("description".to_owned(), json!(paragraph(key.doc)));
    if let Some((low, high)) = key.range {
        let bounds = [("minimum", low), ("maximum", high)];
        for (word, bound) in bounds {
            if let (Form::Integer | Form::Number, Ok(bound)) =
                (key.shape.form, bound.parse::<i64>())
            {
                map.insert(word.to_owned(), json!(bound));
            }
        }
    }
    if let Need::Default(text) = key.need {
        map.insert("default".to_owned(), default(key.shape.form, text));
    }
    property
}

fn value(shape: &Shape) -> Value {
    let mut value = match shape.form {
        Form::Integer => json!({ "type": "integer" }),
        Form::Number => json!({ "type": "number" }),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::IntegerOrText => json!({ "type": ["integer", "string"] }),
        Form::Text | Form::List => json!({ "type": "string" }),
    };
    if let Some(map) = value.as_object_mut() {
        if !shape.choices.is_empty() {
            map.insert("enum".to_owned(), json!(shape.choices));
        }
        if !shape.pattern.is_empty() {
            map.insert("pattern".to_owned(), json!(shape.pattern));
        }
    }
    value
}

fn default(form: Form, text: &str) -> Value {
    match form {
        Form::List => json!(text.split(',').map(str::trim).collect::<Vec<_>>()),
        Form::Text => json!(text),
        Form::Boolean => json!(text == "true"),
        Form::Integer | Form::Number | Form::IntegerOrText => text
            .parse::<i64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
    }
}
