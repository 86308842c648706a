//! The grammar of WIQL, as far as flat queries go.

use super::QueryError;
use super::tokens::{Token, invalid, tokens};

/// A parsed query.
#[derive(Debug, PartialEq)]
pub(super) struct Query {
    pub columns: Vec<String>,
    pub condition: Condition,
    pub sorts: Vec<Sort>,
    pub as_of: Option<String>,
}

/// One `ORDER BY` column.
#[derive(Debug, PartialEq)]
pub(super) struct Sort {
    pub field: String,
    pub descending: bool,
}

/// What the `WHERE` clause says; an absent clause is an empty `All`.
#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Clause { field: String, operator: Operator, operands: Vec<Operand> },
}

/// Operators of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    In,
    NotIn,
    Contains,
    NotContains,
    Under,
    NotUnder,
    InGroup,
    NotInGroup,
}

/// A literal or a macro.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Text(String),
    Number(f64),
    /// `@project`, `@me`, or `@today` with an offset in days.
    Macro(String, i64),
}

/// Parses a query.
pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let mut parser = Parser { tokens: tokens(text)?, place: 0 };
    parser.keyword("select")?;
    let columns = parser.fields()?;
    parser.keyword("from")?;
    if parser.take_word("workitemlinks") {
        return Err(QueryError::Unsupported("FROM WorkItemLinks".to_owned()));
    }
    parser.keyword("workitems")?;
    let condition = if parser.take_word("where") { parser.any()? } else { Condition::All(Vec::new()) };
    let sorts = parser.sorts()?;
    let as_of = parser.as_of()?;
    match parser.peek() {
        None => Ok(Query { columns, condition, sorts, as_of }),
        Some(token) => Err(unexpected(token)),
    }
}

fn unexpected(token: &Token) -> QueryError {
    invalid(format!("TF51011: The query has an unexpected part. The error is caused by «{token:?}»."))
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn next(&mut self) -> Result<Token, QueryError> {
        let token = self.peek().cloned().ok_or_else(|| invalid("TF51006: The query statement ends too early."))?;
        self.place += 1;
        Ok(token)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word));
        self.place += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(text)) if *text == symbol);
        self.place += usize::from(found);
        found
    }

    fn keyword(&mut self, word: &str) -> Result<(), QueryError> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(invalid(format!("TF51006: The query statement is missing a {} clause.", word.to_uppercase())))
    }

    fn field(&mut self) -> Result<String, QueryError> {
        match self.next()? {
            Token::Field(name) => Ok(name),
            // Names without spaces need no brackets.
            Token::Word(name) if name.contains('.') || name.chars().all(char::is_alphanumeric) => Ok(name),
            token => Err(unexpected(&token)),
        }
    }

    fn fields(&mut self) -> Result<Vec<String>, QueryError> {
        if self.take_symbol("*") {
            return Ok(vec!["System.Id".to_owned()]);
        }
        let mut fields = vec![self.field()?];
        while self.take_symbol(",") {
            fields.push(self.field()?);
        }
        Ok(fields)
    }

    fn any(&mut self) -> Result<Condition, QueryError> {
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Result<Condition, QueryError> {
        let mut parts = vec![self.single()?];
        while self.take_word("and") {
            parts.push(self.single()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn single(&mut self) -> Result<Condition, QueryError> {
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.single()?)));
        }
        if self.take_symbol("(") {
            let inner = self.any()?;
            return if self.take_symbol(")") {
                Ok(inner)
            } else {
                Err(invalid("TF51012: Expecting a closing parenthesis."))
            };
        }
        if self.take_word("ever") {
            return Err(QueryError::Unsupported("EVER".to_owned()));
        }
        let field = self.field()?;
        let operator = self.operator()?;
        let operands = match operator {
            Operator::In | Operator::NotIn => self.operands()?,
            _ => vec![self.operand()?],
        };
        Ok(Condition::Clause { field, operator, operands })
    }

    fn operator(&mut self) -> Result<Operator, QueryError> {
        let token = self.next()?;
        match &token {
            Token::Symbol("=") => Ok(Operator::Equal),
            Token::Symbol("<>" | "!=") => Ok(Operator::NotEqual),
            Token::Symbol(">") => Ok(Operator::Greater),
            Token::Symbol(">=") => Ok(Operator::GreaterEqual),
            Token::Symbol("<") => Ok(Operator::Less),
            Token::Symbol("<=") => Ok(Operator::LessEqual),
            Token::Word(word) => self.word_operator(&word.to_lowercase(), &token),
            _ => Err(unexpected(&token)),
        }
    }

    fn word_operator(&mut self, word: &str, token: &Token) -> Result<Operator, QueryError> {
        match word {
            "in" if self.take_word("group") => Ok(Operator::InGroup),
            "in" => Ok(Operator::In),
            "under" => Ok(Operator::Under),
            "contains" if self.take_word("words") => Err(QueryError::Unsupported("CONTAINS WORDS".to_owned())),
            "contains" => Ok(Operator::Contains),
            "not" if self.take_word("in") => {
                Ok(if self.take_word("group") { Operator::NotInGroup } else { Operator::NotIn })
            }
            "not" if self.take_word("under") => Ok(Operator::NotUnder),
            "not" if self.take_word("contains") => Ok(Operator::NotContains),
            "ever" | "was" => Err(QueryError::Unsupported(word.to_uppercase())),
            _ => Err(unexpected(token)),
        }
    }

    fn operands(&mut self) -> Result<Vec<Operand>, QueryError> {
        if !self.take_symbol("(") {
            return Err(invalid("TF51013: Expecting an opening parenthesis."));
        }
        let mut operands = vec![self.operand()?];
        while self.take_symbol(",") {
            operands.push(self.operand()?);
        }
        if self.take_symbol(")") { Ok(operands) } else { Err(invalid("TF51012: Expecting a closing parenthesis.")) }
    }

    fn operand(&mut self) -> Result<Operand, QueryError> {
        match self.next()? {
            Token::Text(text) => Ok(Operand::Text(text)),
            Token::Number(number) => Ok(Operand::Number(number)),
            Token::Word(word) if word.starts_with('@') => {
                let offset = self.offset()?;
                Ok(Operand::Macro(word.to_lowercase(), offset))
            }
            Token::Word(word) if ["true", "false"].contains(&word.to_lowercase().as_str()) => Ok(Operand::Text(word)),
            Token::Field(_) => Err(QueryError::Unsupported("a comparison of two fields".to_owned())),
            token => Err(unexpected(&token)),
        }
    }

    /// `@today - 7` or `@today-7`, in days.
    #[allow(clippy::cast_possible_truncation, reason = "offsets are small whole numbers")]
    fn offset(&mut self) -> Result<i64, QueryError> {
        let sign = match self.peek() {
            Some(Token::Symbol("+")) => 1.0,
            Some(Token::Symbol("-")) => -1.0,
            Some(Token::Number(number)) if *number < 0.0 => {
                let days = *number as i64;
                self.place += 1;
                return Ok(days);
            }
            _ => return Ok(0),
        };
        self.place += 1;
        match self.next()? {
            Token::Number(number) => Ok((sign * number) as i64),
            token => Err(unexpected(&token)),
        }
    }

    fn sorts(&mut self) -> Result<Vec<Sort>, QueryError> {
        let mut sorts = Vec::new();
        if !self.take_word("order") {
            return Ok(sorts);
        }
        self.keyword("by")?;
        loop {
            let field = self.field()?;
            let descending = self.take_word("desc");
            if !descending {
                self.take_word("asc");
            }
            sorts.push(Sort { field, descending });
            if !self.take_symbol(",") {
                return Ok(sorts);
            }
        }
    }

    fn as_of(&mut self) -> Result<Option<String>, QueryError> {
        if self.take_word("asof") {
            return Err(QueryError::Unsupported("ASOF".to_owned()));
        }
        if self.take_word("mode") {
            return Err(QueryError::Unsupported("MODE".to_owned()));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(field: &str, operator: Operator, operand: Operand) -> Condition {
        Condition::Clause { field: field.to_owned(), operator, operands: vec![operand] }
    }

    #[test]
    fn an_id_paging_query_is_understood() {
        let text = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.Id] > 17 ORDER BY [System.Id]";
        let query = parse(text).unwrap_or_else(|_| panic!("refused"));
        assert_eq!(query.columns, ["System.Id"]);
        let expected = vec![
            clause("System.TeamProject", Operator::Equal, Operand::Macro("@project".to_owned(), 0)),
            clause("System.Id", Operator::Greater, Operand::Number(17.0)),
        ];
        assert_eq!(query.condition, Condition::All(expected));
        assert_eq!(query.sorts, [Sort { field: "System.Id".to_owned(), descending: false }]);
    }

    #[test]
    fn quotes_are_doubled_and_macros_have_offsets() {
        let query = parse("select Id from workitems where [System.Title] = 'it''s' or [A B] >= @today - 7")
            .unwrap_or_else(|_| panic!("refused"));
        let expected = vec![
            clause("System.Title", Operator::Equal, Operand::Text("it's".to_owned())),
            clause("A B", Operator::GreaterEqual, Operand::Macro("@today".to_owned(), -7)),
        ];
        assert_eq!(query.condition, Condition::Any(expected));
    }

    #[test]
    fn what_is_wrong_is_invalid_and_what_is_missing_here_is_unsupported() {
        let kind = |text: &str| match parse(text) {
            Ok(_) => "fine",
            Err(QueryError::Invalid(_)) => "invalid",
            Err(QueryError::Unsupported(_)) => "unsupported",
        };
        assert_eq!(kind("SELECT [System.Id]"), "invalid");
        assert_eq!(kind("SELECT [System.Id] FROM WorkItems WHERE [System.Title] = 'open"), "invalid");
        assert_eq!(kind("SELECT [System.Id] FROM WorkItems WHERE [System.Id] ~ 1"), "invalid");
        assert_eq!(kind("SELECT [System.Id] FROM WorkItems WHERE [System.Id] = 1 2"), "invalid");
        assert_eq!(kind("SELECT [System.Id] FROM WorkItemLinks WHERE [System.Id] = 1"), "unsupported");
        assert_eq!(kind("SELECT [System.Id] FROM WorkItems WHERE EVER [System.State] = 'x'"), "unsupported");
        assert_eq!(kind("SELECT [System.Id] FROM WorkItems"), "fine");
    }
}
