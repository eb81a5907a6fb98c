//! Integer arithmetic between `${` and `}`.
//!
//! ```text
//! sum     := product (('+' | '-') product)*
//! product := factor (('*' | '/' | '%') factor)*
//! factor  := INTEGER | NAME | '(' sum ')' | '-' factor
//! ```

use std::ops::Range;

/// An expression over named values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Number(i64),
    Name(String),
    Binary(Box<Expression>, Operator, Box<Expression>),
    Negate(Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Why a text is no expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpressionError {
    pub(super) message: String,
    pub(super) span: Range<usize>,
}

/// Brackets and signs may nest this deep; nobody needs more, and the stack has an end.
const MAX_DEPTH: usize = 32;

/// Operators in one expression, which nest to the left.
const MAX_OPERATORS: usize = 256;

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut parser = Parser { text, at: 0, depth: 0, operators: 0 };
        let expression = parser.sum()?;
        match parser.peek() {
            None => Ok(expression),
            Some(_) => Err(parser.error("an operator is missing here")),
        }
    }

    /// Every name in it.
    pub(super) fn names<'e>(&'e self, into: &mut Vec<&'e str>) {
        match self {
            Self::Number(_) => {}
            Self::Name(name) => into.push(name),
            Self::Negate(of) => of.names(into),
            Self::Binary(left, _, right) => {
                left.names(into);
                right.names(into);
            }
        }
    }

    /// Its value; the error says why there is none.
    pub(super) fn value(&self, of: &dyn Fn(&str) -> Result<i64, String>) -> Result<i64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Name(name) => of(name),
            Self::Negate(inner) => {
                inner.value(of)?.checked_neg().ok_or_else(|| "the number is too large".to_owned())
            }
            Self::Binary(left, operator, right) => {
                let (left, right) = (left.value(of)?, right.value(of)?);
                if right == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
                    return Err("it divides by zero".to_owned());
                }
                match operator {
                    Operator::Add => left.checked_add(right),
                    Operator::Subtract => left.checked_sub(right),
                    Operator::Multiply => left.checked_mul(right),
                    // Of numbers that count things: rounded down, never below zero.
                    Operator::Divide => left.checked_div_euclid(right),
                    Operator::Remainder => left.checked_rem_euclid(right),
                }
                .ok_or_else(|| "the number is too large".to_owned())
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    operators: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<char> {
        let blanks = self.rest().len() - self.rest().trim_start().len();
        self.at += blanks;
        self.rest().chars().next()
    }

    fn take(&mut self, operators: &[(char, Operator)]) -> Option<Operator> {
        let next = self.peek()?;
        let (_, operator) = operators.iter().find(|(sign, _)| *sign == next)?;
        self.at += next.len_utf8();
        Some(*operator)
    }

    fn error(&self, message: &str) -> ExpressionError {
        let len = self.rest().chars().next().map_or(0, char::len_utf8);
        ExpressionError { message: message.to_owned(), span: self.at..self.at + len }
    }

    fn sum(&mut self) -> Result<Expression, ExpressionError> {
        let operators = [('+', Operator::Add), ('-', Operator::Subtract)];
        self.chain(&operators, Self::product)
    }

    fn product(&mut self) -> Result<Expression, ExpressionError> {
        let operators =
            [('*', Operator::Multiply), ('/', Operator::Divide), ('%', Operator::Remainder)];
        self.chain(&operators, Self::factor)
    }

    fn chain(
        &mut self,
        operators: &[(char, Operator)],
        next: fn(&mut Self) -> Result<Expression, ExpressionError>,
    ) -> Result<Expression, ExpressionError> {
        let mut left = next(self)?;
        while let Some(operator) = self.take(operators) {
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(self.error("the expression is too long"));
            }
            left = Expression::Binary(Box::new(left), operator, Box::new(next(self)?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("the expression is nested too deeply"));
        }
        let factor = match self.peek() {
            Some('-') => {
                self.at += 1;
                Expression::Negate(Box::new(self.factor()?))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.sum()?;
                if self.peek() != Some(')') {
                    return Err(self.error("a `)` is missing here"));
                }
                self.at += 1;
                inner
            }
            Some(c) if c.is_ascii_digit() => {
                let digits = self.word(|c| c.is_ascii_digit());
                let number = digits.parse().map_err(|_| self.error("the number is too large"))?;
                Expression::Number(number)
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                Expression::Name(self.word(|c| c.is_ascii_alphanumeric() || c == '_'))
            }
            _ => return Err(self.error("a number or a name is missing here")),
        };
        self.depth -= 1;
        Ok(factor)
    }

    fn word(&mut self, belongs: fn(char) -> bool) -> String {
        let word: String = self.rest().chars().take_while(|&c| belongs(c)).collect();
        self.at += word.len();
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<i64, String> {
        let expression = Expression::parse(text).map_err(|error| error.message)?;
        expression.value(&|name| if name == "i" { Ok(7) } else { Err(name.to_owned()) })
    }

    #[test]
    fn arithmetic() {
        assert_eq!(value("i+1"), Ok(8));
        assert_eq!(value("2 * (i - 1) / 4 % 2"), Ok(1));
        assert_eq!(value("-i + 10 - 2 - 1"), Ok(0));
        assert_eq!(value("i/0"), Err("it divides by zero".to_owned()));
        assert_eq!(value("9223372036854775807 + 1"), Err("the number is too large".to_owned()));
    }

    #[test]
    fn what_is_no_expression() {
        for text in ["", "i +", "(i", "i i", "i + $", "99999999999999999999"] {
            assert!(value(text).is_err(), "{text}");
        }
        assert!(value(&"(".repeat(100_000)).is_err());
        assert!(value(&"1+".repeat(100_000)).is_err());
        assert_eq!(Expression::parse("i + *").unwrap_err().span, 4..5);
    }
}
