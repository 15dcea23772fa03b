//! Strings, numbers, booleans and lists: the values that TOML itself knows.

use super::{Form, Mismatch, Raw, Shape, Value, text};

impl Value for String {
    const SHAPE: Shape = Shape::text("string", "a string", "");

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        text(&Self::SHAPE, raw).map(str::to_owned)
    }
}

impl Value for bool {
    const SHAPE: Shape = Shape {
        form: Form::Boolean,
        what: "boolean",
        expected: "true or false",
        pattern: "",
        choices: &[],
        secret: false,
    };

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        match raw {
            Raw::Boolean(value) => Ok(*value),
            Raw::Text(text) if text == "true" || text == "false" => {
                Err(Mismatch::form(&Self::SHAPE, raw).hint(format!("write {text}, without quotes")))
            }
            other => Err(Mismatch::form(&Self::SHAPE, other)),
        }
    }
}

const INTEGER: Shape = Shape {
    form: Form::Integer,
    what: "integer",
    expected: "a whole number",
    pattern: "",
    choices: &[],
    secret: false,
};

fn integer(raw: &Raw) -> Result<i64, Mismatch> {
    match raw {
        Raw::Integer(value) => Ok(*value),
        Raw::Text(text) if text.parse::<i64>().is_ok() => {
            Err(Mismatch::form(&INTEGER, raw).hint(format!("write {text}, without quotes")))
        }
        other => Err(Mismatch::form(&INTEGER, other)),
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            const SHAPE: Shape = INTEGER;

            fn read(raw: &Raw) -> Result<Self, Mismatch> {
                let value = integer(raw)?;
                <$type>::try_from(value).map_err(|_| {
                    Mismatch::new(format!("{value} is out of range"))
                        .expected(format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX))
                })
            }

            fn within(&self, low: &str, high: &str) -> bool {
                low.parse().is_ok_and(|low: $type| *self >= low)
                    && (high.is_empty() || high.parse().is_ok_and(|high: $type| *self <= high))
            }
        }
    )*};
}
integers!(u16, u32, u64, usize, i32);

impl Value for f64 {
    const SHAPE: Shape = Shape {
        form: Form::Number,
        what: "number",
        expected: "a number",
        pattern: "",
        choices: &[],
        secret: false,
    };

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        match raw {
            Raw::Number(value) if value.is_finite() => Ok(*value),
            Raw::Integer(value) => Ok(*value as f64),
            other => Err(Mismatch::form(&Self::SHAPE, other)),
        }
    }

    fn within(&self, low: &str, high: &str) -> bool {
        low.parse().is_ok_and(|low: f64| *self >= low)
            && (high.is_empty() || high.parse().is_ok_and(|high: f64| *self <= high))
    }
}

impl<T: Value> Value for Vec<T> {
    const SHAPE: Shape = Shape {
        form: Form::List,
        ..T::SHAPE
    };

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        let mut first = None;
        let read = Self::read_all(raw, &mut |mismatch| {
            first.get_or_insert(mismatch);
        });
        read.ok_or_else(|| first.unwrap_or_default())
    }

    fn read_all(raw: &Raw, tell: &mut dyn FnMut(Mismatch)) -> Option<Self> {
        let items = match raw {
            Raw::List(items) => items,
            Raw::Text(text) => {
                let mismatch = Mismatch::new("expected a list of strings, found a string");
                tell(mismatch.hint(format!("write [\"{text}\"]")));
                return None;
            }
            other => {
                let what = format!("expected a list of strings, found {}", other.kind());
                tell(Mismatch::new(what));
                return None;
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match T::read(item) {
                Ok(value) => values.push(value),
                Err(mismatch) => tell(mismatch.item(index)),
            }
        }
        (values.len() == items.len()).then_some(values)
    }
}
