//! A measured figure, as it is printed.

use serde::Serialize;

/// A measured figure.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    target: f64,
    ok: bool,
    /// What this machine needs, in the same run, for that which nobody can save.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f64>,
    /// How many loops at the same time came to the limit, where several numbers were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    loops: Option<usize>,
}

impl Figure {
    /// A figure that must not exceed its target.
    pub fn at_most(name: impl Into<String>, value: f64, unit: &'static str, target: f64) -> Self {
        Self::new(name.into(), value, unit, target, value <= target)
    }

    /// A figure that must reach its target.
    pub fn at_least(name: impl Into<String>, value: f64, unit: &'static str, target: f64) -> Self {
        Self::new(name.into(), value, unit, target, value >= target)
    }

    fn new(name: String, value: f64, unit: &'static str, target: f64, ok: bool) -> Self {
        Self { name, value: rounded(value), unit, target: rounded(target), ok, limit: None, loops: None }
    }

    /// The same if it was measured to its end; else the value is that after which the measurement was given up, so the
    /// target is missed whatever it is.
    pub fn given_up_unless(self, ended: bool) -> Self {
        Self { ok: self.ok && ended, ..self }
    }

    /// The same with its physical limit.
    pub fn with_limit(self, limit: f64) -> Self {
        Self { limit: Some(rounded(limit)), ..self }
    }

    /// The same with the number of loops that came to the limit.
    pub fn with_loops(self, loops: usize) -> Self {
        Self { loops: Some(loops), ..self }
    }

    /// Prints the figure as one line of JSON; says so where it misses its target.
    pub fn print(&self) -> crate::Outcome<()> {
        println!("{}", serde_json::to_string(self)?);
        if !self.ok {
            eprintln!("MISSED: {} is {} {}, the target is {}", self.name, self.value, self.unit, self.target);
        }
        Ok(())
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The value below which that share of the values lies (nearest rank); 0 of none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let above = sorted.iter().enumerate().find(|(index, _)| ratio(index + 1, sorted.len()) >= share);
    above.map_or(0.0, |(_, value)| *value)
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// How many of one for each of the other.
pub fn ratio(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole)
}
