//! From what was asked to what will be sent (pure), and what is told of it before.

use super::{StartRequest, Strategy, TrainingError};
use crate::model::{Nanos, Symbol, Timeframe};

/// A training that can be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What was read of the file.
    pub strategy: Strategy,
    /// The file itself.
    pub text: String,
    /// Upper case, at least one.
    pub symbols: Vec<String>,
    /// The first is the base; at least one.
    pub timeframes: Vec<String>,
    /// ISO.
    pub start_date: Option<String>,
    /// ISO.
    pub end_date: Option<String>,
}

/// A host that a training may run on.
#[derive(Debug, Clone)]
pub struct PlannedHost {
    /// In the configuration.
    pub name: String,
    /// Base address.
    pub url: String,
    /// Sessions at once.
    pub slots: usize,
    /// Of them not taken.
    pub free: usize,
    /// Of it, when it answered; why not, when it did not.
    pub capabilities: Result<super::Capabilities, String>,
}

/// What the daemon has of a series that a training needs.
#[derive(Debug, Clone)]
pub struct StoredSeries {
    /// As asked.
    pub symbol: String,
    /// As asked.
    pub timeframe: String,
    /// Bars, first and last; `None` when nothing is stored.
    pub stored: Option<(u64, Nanos, Nanos)>,
}

impl StoredSeries {
    /// Something is stored, and nothing of it is between the dates, the last one included.
    pub fn is_outside(&self, start: Option<&str>, end: Option<&str>) -> bool {
        let Some((_, first, last)) = self.stored else { return false };
        let day = |ns: Nanos| jiff::Timestamp::from_nanosecond(ns.into()).map(|at| at.strftime("%F").to_string());
        let (Ok(first), Ok(last)) = (day(first), day(last)) else { return false };
        start.is_some_and(|start| last.as_str() < start) || end.is_some_and(|end| first.as_str() > end)
    }
}

/// One model of more would be none that anybody could judge.
const SYMBOLS_MAX: usize = 100;

impl Plan {
    /// Reads the file and fits the wishes to it. Nothing is asked of anybody.
    pub fn of(request: &StartRequest) -> Result<Self, TrainingError> {
        if request.strategy.len() > super::strategy::BYTES_MAX {
            return Err(TrainingError::StrategyTooLarge {
                label: request.label.clone(),
                bytes: request.strategy.len(),
            });
        }
        let strategy = Strategy::read(request.strategy.as_bytes())
            .map_err(|mistakes| TrainingError::StrategyInvalid { label: request.label.clone(), mistakes })?;
        let symbols = symbols(request, &strategy)?;
        let timeframes = timeframes(request, &strategy)?;
        dates(request)?;
        if request.priority > 9 {
            return Err(TrainingError::Invalid("the priority is 0 to 9, higher first".into()));
        }
        Ok(Self {
            strategy,
            text: request.strategy.clone(),
            symbols,
            timeframes,
            start_date: request.start_date.clone(),
            end_date: request.end_date.clone(),
        })
    }

    /// For people: `demo EURUSD 1h`.
    pub fn subject(&self) -> String {
        format!("{} {} {}", self.strategy.name, self.symbols.join(","), self.timeframes.join(","))
    }
}

/// Strategy, symbols and timeframes of a [`Plan::subject`]. A strategy's name may have blanks, the others have none.
pub(super) fn parts_of_subject(subject: &str) -> [&str; 3] {
    let mut words = subject.rsplitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (timeframes, symbols) = (word(), word());
    [word(), symbols, timeframes]
}

fn symbols(request: &StartRequest, strategy: &Strategy) -> Result<Vec<String>, TrainingError> {
    let asked = if request.symbols.is_empty() { &strategy.symbols } else { &request.symbols };
    if asked.len() > SYMBOLS_MAX {
        return Err(TrainingError::Invalid(format!("{} symbols; a training has at most {SYMBOLS_MAX}", asked.len())));
    }
    if asked.is_empty() {
        return Err(TrainingError::NoSymbols { strategy: strategy.name.clone() });
    }
    let mut symbols = Vec::new();
    for symbol in asked {
        let upper = symbol.trim().to_uppercase();
        // names of files on the host
        let fits =
            (1..=20).contains(&upper.len()) && upper.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        if !fits || upper.starts_with('.') {
            return Err(TrainingError::Invalid(format!(
                "{symbol:?} is no symbol: letters, digits, - . and _, at most 20"
            )));
        }
        if !symbols.contains(&upper) {
            symbols.push(upper);
        }
    }
    Ok(symbols)
}

fn timeframes(request: &StartRequest, strategy: &Strategy) -> Result<Vec<String>, TrainingError> {
    let of_file = &strategy.timeframes;
    let asked = if request.timeframes.is_empty() { of_file } else { &request.timeframes };
    let mut timeframes: Vec<String> = Vec::new();
    for text in asked {
        let timeframe =
            Timeframe::parse(text).ok_or_else(|| TrainingError::Invalid(format!("{text:?} is no timeframe")))?;
        let name = timeframe.to_string();
        if !of_file.is_empty() && !of_file.contains(&name) {
            let has = of_file.join(", ");
            return Err(TrainingError::TimeframeNotInStrategy {
                timeframe: name,
                strategy: strategy.name.clone(),
                has,
            });
        }
        if !timeframes.contains(&name) {
            timeframes.push(name);
        }
    }
    if timeframes.is_empty() {
        return Err(TrainingError::Invalid(format!("{} names no timeframe: give --timeframes", strategy.name)));
    }
    Ok(timeframes)
}

fn dates(request: &StartRequest) -> Result<(), TrainingError> {
    let read = |text: &Option<String>| -> Result<Option<jiff::civil::Date>, TrainingError> {
        let Some(text) = text else { return Ok(None) };
        let wrong = |_| TrainingError::Invalid(format!("{text:?} is no date: write 2024-12-31"));
        text.parse().map(Some).map_err(wrong)
    };
    match (read(&request.start_date)?, read(&request.end_date)?) {
        (Some(start), Some(end)) if start >= end => {
            Err(TrainingError::DatesReversed { start: start.to_string(), end: end.to_string() })
        }
        _ => Ok(()),
    }
}

impl Plan {
    /// The series that the daemon could have; what is no symbol of ours is left to the host.
    pub fn series(&self) -> Vec<(Symbol, Timeframe)> {
        let symbols = self.symbols.iter().filter_map(|symbol| Symbol::parse(symbol).ok());
        let timeframes: Vec<_> = self.timeframes.iter().filter_map(|text| Timeframe::parse(text)).collect();
        symbols.flat_map(|symbol| timeframes.iter().map(move |timeframe| (symbol.clone(), *timeframe))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::strategy::tests::DEMO;

    fn request() -> StartRequest {
        StartRequest {
            label: "demo.yaml".into(),
            strategy: DEMO.into(),
            symbols: vec![],
            timeframes: vec![],
            start_date: None,
            end_date: None,
            host: None,
            labels: vec![],
            priority: 5,
            load_missing: false,
        }
    }

    #[test]
    fn bars_of_other_days_are_none_for_a_training() {
        // 2 to 5 January 2025
        let (first, last) = (1_735_776_000_000_000_000, 1_736_096_400_000_000_000);
        let series = |stored| StoredSeries { symbol: "A".into(), timeframe: "1h".into(), stored };
        let some = series(Some((9, first, last)));
        let outside = |start, end| some.is_outside(start, end);
        assert!(outside(Some("2025-01-06"), None) && outside(None, Some("2025-01-01")));
        assert!(!outside(None, None) && !outside(Some("2025-01-05"), None) && !outside(None, Some("2025-01-02")));
        assert!(!outside(Some("2024-01-01"), Some("2025-12-31")));
        assert!(!series(None).is_outside(Some("2025-01-06"), None), "nothing is stored, which is told anyway");
    }

    #[test]
    fn wishes_go_over_the_file_as_far_as_it_allows() {
        let plan = Plan::of(&request()).unwrap();
        assert_eq!(plan.subject(), "demo EURUSD 1h,4h");
        let asked = StartRequest {
            symbols: vec!["aapl".into(), "AAPL".into(), "MSFT".into()],
            timeframes: vec!["4h".into()],
            ..request()
        };
        assert_eq!(Plan::of(&asked).unwrap().subject(), "demo AAPL,MSFT 4h");
        assert_eq!(Plan::of(&asked).unwrap().series().len(), 2);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let reason = |request: StartRequest| {
            use crate::error::Reasoned;
            Plan::of(&request).unwrap_err().reason().name
        };
        let date = |text: &str| Some(text.to_owned());
        assert_eq!(reason(StartRequest { timeframes: vec!["5m".into()], ..request() }), "TIMEFRAME_NOT_IN_STRATEGY");
        assert_eq!(reason(StartRequest { timeframes: vec!["x".into()], ..request() }), "REQUEST_INVALID");
        assert_eq!(reason(StartRequest { symbols: vec!["../x".into()], ..request() }), "REQUEST_INVALID");
        assert_eq!(reason(StartRequest { start_date: date("2024-02-30"), ..request() }), "REQUEST_INVALID");
        let reversed = StartRequest { start_date: date("2024-02-03"), end_date: date("2024-02-03"), ..request() };
        assert_eq!(reason(reversed), "RANGE_INVALID");
        assert_eq!(reason(StartRequest { priority: 10, ..request() }), "REQUEST_INVALID");
        assert_eq!(reason(StartRequest { strategy: "a: [".into(), ..request() }), "STRATEGY_INVALID");
        assert_eq!(reason(StartRequest { strategy: "#".repeat(2 << 20), ..request() }), "STRATEGY_TOO_LARGE");
        let chosen = DEMO.replace("symbol: eurusd", "selection_criteria: {asset_class: forex}");
        assert_eq!(reason(StartRequest { strategy: chosen, ..request() }), "TRAINING_NO_SYMBOLS");
    }
}
