//! What is printed: a line for each ratio, its bar beside it, and the absolute figures under it.

use std::fmt;

#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
}

struct Line {
    what: &'static str,
    value: f64,
    bar: f64,
    unit: &'static str,
    beside: Vec<String>,
}

impl Table {
    /// A ratio of a candidate to its floor, with the figures behind it.
    pub fn ratio(&mut self, what: &'static str, value: f64, bar: f64, beside: Vec<String>) {
        self.line(what, value, bar, "", beside);
    }

    /// A figure with a unit.
    pub fn line(
        &mut self,
        what: &'static str,
        value: f64,
        bar: f64,
        unit: &'static str,
        beside: Vec<String>,
    ) {
        println!("  {what}: {value:.3}{unit} (bar {bar:.3}{unit})");
        self.lines.push(Line {
            what,
            value,
            bar,
            unit,
            beside,
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<72} {:>10} {:>10}", "measured", "figure", "at most")?;
        for line in &self.lines {
            let holds = if line.value <= line.bar {
                "holds"
            } else {
                "DOES NOT HOLD"
            };
            let value = format!("{:.3}{}", line.value, line.unit);
            let bar = format!("{:.3}{}", line.bar, line.unit);
            writeln!(f, "{:<72} {value:>10} {bar:>10}  {holds}", line.what)?;
            for beside in &line.beside {
                writeln!(f, "    {beside}")?;
            }
        }
        Ok(())
    }
}
