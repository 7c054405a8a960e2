//! The rows below the meaning: semicolons, quotes, sections and columns of a .pb file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{At, Limit, MAX_COLUMNS, MAX_FIELD_BYTES, PabulibError, Section};

/// One section: its columns by name, and its rows, all as wide as the header.
#[derive(Debug)]
pub(super) struct Table<'t> {
    section: Section,
    line: usize,
    columns: BTreeMap<String, usize>,
    rows: Vec<Row<'t>>,
}

/// One line of a file (more, where a quoted value holds line ends).
#[derive(Debug)]
pub(super) struct Row<'t> {
    line: usize,
    fields: Vec<Cow<'t, str>>,
}

/// One value, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'r> {
    pub(super) text: &'r str,
    pub(super) at: At,
}

impl<'t> Table<'t> {
    /// Splits a text into its three sections, in the order of the format.
    pub(super) fn split(text: &'t str) -> Result<[Self; 3], PabulibError> {
        let mut rows = Rows {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            line: 1,
        };
        let first = rows.next().transpose()?;
        if first.as_ref().and_then(Row::section) != Some(Section::Meta) {
            let line = first.map_or(1, |row| row.line);
            return Err(PabulibError::Missing {
                line,
                section: Section::Meta,
            });
        }
        let meta = Self::read(&mut rows, Section::Meta, Some(Section::Projects))?;
        let projects = Self::read(&mut rows, Section::Projects, Some(Section::Votes))?;
        let votes = Self::read(&mut rows, Section::Votes, None)?;
        Ok([meta, projects, votes])
    }

    /// Reads up to the title of the `next` section, or to the end.
    fn read(rows: &mut Rows<'t>, section: Section, next: Option<Section>) -> Result<Self, PabulibError> {
        let mut table = Self {
            section,
            line: rows.line,
            columns: BTreeMap::new(),
            rows: Vec::new(),
        };
        while let Some(row) = rows.next().transpose()? {
            if let Some(title) = row.section() {
                return if Some(title) == next {
                    table.checked()
                } else {
                    Err(PabulibError::Unexpected {
                        line: row.line,
                        section: title,
                    })
                };
            }
            if table.rows.len() > section.max_rows() {
                return Err(PabulibError::TooMany {
                    line: row.line,
                    what: section.rows_limit(),
                });
            }
            table.rows.push(row);
        }
        match next {
            Some(section) => Err(PabulibError::Missing {
                line: rows.line,
                section,
            }),
            None => table.checked(),
        }
    }

    /// Takes the first row as the header and holds every other row against it.
    fn checked(mut self) -> Result<Self, PabulibError> {
        // Five of the 31 files at hand leave out the header of META, whose columns are always these two.
        let headless = self.section == Section::Meta
            && self
                .rows
                .first()
                .is_some_and(|row| !row.value(0).text.eq_ignore_ascii_case("key"));
        if headless {
            self.columns = BTreeMap::from([("key".to_owned(), 0), ("value".to_owned(), 1)]);
        } else if !self.rows.is_empty() {
            let header = self.rows.remove(0);
            self.line = header.line;
            for index in 0..header.fields.len() {
                let Value { text, at } = header.value(index);
                if self.columns.insert(text.to_ascii_lowercase(), index).is_some() {
                    return Err(PabulibError::RepeatedColumn {
                        at,
                        column: text.to_owned(),
                    });
                }
            }
        }
        let expected = self.columns.len();
        match self.rows.iter().find(|row| row.fields.len() != expected) {
            Some(row) => Err(PabulibError::Width {
                line: row.line,
                expected,
                found: row.fields.len(),
            }),
            None => Ok(self),
        }
    }

    pub(super) fn rows(&self) -> &[Row<'t>] {
        &self.rows
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &'static str) -> Result<usize, PabulibError> {
        self.any_column(&[name]).ok_or(PabulibError::MissingColumn {
            line: self.line,
            section: self.section,
            column: name,
        })
    }

    /// The column of the first of these names that there is.
    pub(super) fn any_column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.columns.get(*name).copied())
    }
}

impl Row<'_> {
    /// The value in a column, counted from 0; empty beyond the last.
    pub(super) fn value(&self, column: usize) -> Value<'_> {
        let text = self.fields.get(column).map_or("", |field| field.trim());
        Value {
            text,
            at: At {
                line: self.line,
                column: column.saturating_add(1),
            },
        }
    }

    /// The section that this row is the title of.
    fn section(&self) -> Option<Section> {
        let title = self.value(0).text;
        let sections = [Section::Meta, Section::Projects, Section::Votes];
        let found = sections
            .into_iter()
            .find(|section| title.eq_ignore_ascii_case(section.name()));
        found.filter(|_| self.fields.len() == 1)
    }
}

impl Value<'_> {
    /// The value, unless it is empty or the word "None", which some files write for nothing.
    pub(super) fn present(self) -> Option<Self> {
        (!self.text.is_empty() && !self.text.eq_ignore_ascii_case("none")).then_some(self)
    }
}

/// The rows of a text that are not blank.
struct Rows<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Iterator for Rows<'t> {
    type Item = Result<Row<'t>, PabulibError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.row() {
                Ok(row) if row.fields.len() == 1 && row.value(0).text.is_empty() => {}
                row => return Some(row),
            }
        }
        None
    }
}

impl<'t> Rows<'t> {
    fn row(&mut self) -> Result<Row<'t>, PabulibError> {
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let at = At {
                line,
                column: fields.len().saturating_add(1),
            };
            if at.column > MAX_COLUMNS {
                return Err(PabulibError::TooMany {
                    line,
                    what: Limit::Columns,
                });
            }
            let field = self.field(at)?;
            if field.len() > MAX_FIELD_BYTES {
                return Err(PabulibError::TooLong { at });
            }
            fields.push(field);
            if let Some(rest) = self.rest.strip_prefix(';') {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix('\n') {
                self.rest = rest;
                self.line = self.line.saturating_add(1);
            }
            return Ok(Row { line, fields });
        }
    }

    /// Reads one value and stops before the semicolon, the line end or the end of the text that ends it.
    fn field(&mut self, at: At) -> Result<Cow<'t, str>, PabulibError> {
        if let Some(quoted) = self.rest.trim_start_matches([' ', '\t']).strip_prefix('"') {
            return self.quoted(quoted, at);
        }
        let end = self.rest.find([';', '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(Cow::Borrowed(field))
    }

    /// Reads on after an opening quote: a doubled quote stands for one, and line ends belong to the value.
    fn quoted(&mut self, mut rest: &'t str, at: At) -> Result<Cow<'t, str>, PabulibError> {
        let mut value = String::new();
        loop {
            let (part, after) = rest.split_once('"').ok_or(PabulibError::Quote { at })?;
            value.push_str(part);
            match after.strip_prefix('"') {
                Some(again) if value.len() <= MAX_FIELD_BYTES => {
                    value.push('"');
                    rest = again;
                }
                _ => {
                    rest = after;
                    break;
                }
            }
        }
        let ends = value.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(ends);
        self.rest = rest.trim_start_matches([' ', '\t', '\r']);
        if self.rest.is_empty() || self.rest.starts_with([';', '\n']) {
            Ok(Cow::Owned(value))
        } else {
            Err(PabulibError::Quote { at })
        }
    }
}
