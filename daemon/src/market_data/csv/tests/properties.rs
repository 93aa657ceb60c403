//! No bytes of a file may confuse the reader.

use proptest::prelude::*;

use super::*;
use crate::model::{Bar, Nanos};

fn read_pieces(bytes: &[u8], cuts: &[usize], options: &CsvOptions) -> Result<CsvFile, CsvError> {
    let mut cuts: Vec<usize> = cuts.iter().map(|at| at % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut reader = CsvReader::new(options.clone());
    for pair in cuts.windows(2) {
        reader.push(&bytes[pair[0]..pair[1]])?;
    }
    reader.finish()
}

/// Cells that make rows good, bad, equal and conflicting.
fn cell() -> impl Strategy<Value = String> {
    let odd = ["", "nan", "-1", "-2", "inf", "null", "\"1\"", "\"1,2\"", "\"", "x", "é", "1e999"];
    prop_oneof![
        6 => (1_u8..4).prop_map(|value| value.to_string()),
        2 => prop::sample::select(odd.map(str::to_owned).to_vec()),
        1 => "\\PC{0,6}",
    ]
}

fn stamp() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1_u8..5).prop_map(|day| format!("2024-01-0{day}")),
        4 => (0_u8..6).prop_map(|hour| format!("2025-11-02 0{hour}:00:00")),
        4 => (0_u8..6, prop::sample::select(vec!["Z", "+00:00", "-05:00", "+23:59", " UTC"]))
            .prop_map(|(hour, zone)| format!("2025-11-02T0{hour}:00:00{zone}")),
        1 => (0_u16..10_000, "[TZ ]", "[-+Z]").prop_map(|(year, t, z)| format!("{year:04}-12-31{t}23:59:59{z}")),
        1 => cell(),
    ]
}

fn row(cells: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let cells = prop::collection::vec(cell(), cells);
    (stamp(), cells).prop_map(|(stamp, cells)| format!("{stamp},{}", cells.join(",")))
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => row(5..6),
        8 => (stamp(), 1_u8..3).prop_map(|(stamp, close)| format!("{stamp},1,1,1,{close},1")),
        1 => row(0..8),
        1 => Just("  ".to_owned()),
    ]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    let header = prop::sample::select(vec![
        "date,open,high,low,close,volume",
        ",open,high,low,close,volume",
        "\u{feff}Time,Open,High,Low,Close,Extra",
        "",
    ]);
    (header, prop::collection::vec(line(), 0..30), end).prop_map(|(header, lines, end)| {
        [header.to_owned()].into_iter().chain(lines).map(|line| line + end).collect::<String>().into_bytes()
    })
}

fn any_options() -> impl Strategy<Value = CsvOptions> {
    (
        prop::sample::select(vec![Timeframe::Minutes1, Timeframe::Hours1, Timeframe::Days1, Timeframe::Months1]),
        prop::option::weighted(0.8, prop::sample::select(vec!["America/New_York", "Asia/Tokyo", "UTC"])),
    )
        .prop_map(|(timeframe, zone)| options(timeframe, zone))
}

pub(super) fn check(bytes: &[u8], cuts: &[usize], options: &CsvOptions) -> Result<(), TestCaseError> {
    let whole = read_pieces(bytes, &[], options);
    prop_assert_eq!(&read_pieces(bytes, cuts, options), &whole);
    let Ok(file) = whole else { return Ok(()) };
    prop_assert_eq!(file.rows, file.bars.len() as u64 + file.collapsed + rejected(&file));
    prop_assert!(file.bars.is_sorted() && file.bars.iter().all(|bar| bar.is_finite()));
    prop_assert_eq!((file.length, file.crc), (bytes.len() as u64, crc32fast::hash(bytes)));
    for finding in file.rejected.iter().chain(&file.notes) {
        prop_assert!(finding.lines.is_sorted_by(|a, b| a < b) && finding.lines.len() <= 5);
        let told = finding.lines.len() as u64;
        prop_assert!(told == finding.count.min(5) || finding.reason == kind::COLUMN_IGNORED);
    }
    Ok(())
}

fn bars() -> impl Strategy<Value = Bars> {
    let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
    let volume = prop::option::of(
        finite.clone().prop_filter("not the mark of no volume", |value| value.to_bits() != (-1.0_f64).to_bits()),
    );
    // microseconds, far enough inside of what 64 bits hold
    let start = -9_000_000_000_000_000_i64..9_000_000_000_000_000;
    prop::collection::btree_map(start, (prop::array::uniform4(finite), volume), 0..20).prop_map(|rows| {
        rows.into_iter()
            .map(|(micros, ([open, high, low, close], volume))| Bar {
                start: micros * 1000,
                open,
                high,
                low,
                close,
                volume,
            })
            .collect()
    })
}

fn written(bar: &Bar) -> String {
    let start = jiff::Timestamp::from_nanosecond(bar.start.into()).unwrap();
    let volume = bar.volume.map(|volume| volume.to_string()).unwrap_or_default();
    format!("{start},{},{},{},{},{volume}\n", bar.open, bar.high, bar.low, bar.close)
}

type Bits = (Nanos, [u64; 4], Option<u64>);

fn bits(bars: &Bars) -> Vec<Bits> {
    let prices = |bar: &Bar| [bar.open, bar.high, bar.low, bar.close].map(f64::to_bits);
    bars.iter().map(|bar| (bar.start, prices(&bar), bar.volume.map(f64::to_bits))).collect()
}

proptest! {
    #[test]
    fn arbitrary_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..300), cuts in prop::collection::vec(any::<usize>(), 0..6),
        options in any_options(),
    ) {
        check(&bytes, &cuts, &options)?;
        check(&[b"date,open,high,low,close\n", bytes.as_slice()].concat(), &cuts, &options)?;
    }

    #[test]
    fn almost_files(file in file(), cuts in prop::collection::vec(any::<usize>(), 0..8), options in any_options()) {
        check(&file, &cuts, &options)?;
    }

    #[test]
    fn damaged_files(file in file(), at in any::<usize>(), byte in any::<u8>(), options in any_options()) {
        let mut file = file;
        let length = file.len();
        file[at % length] = byte;
        check(&file, &[at], &options)?;
    }

    #[test]
    fn written_bars_read_back_bit_by_bit(
        (bars, order) in bars().prop_flat_map(|bars| {
            let order = Just((0..bars.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(bars), order)
        }),
    ) {
        let rows: String = order.iter().map(|row| written(&bars.at(*row))).collect();
        let file = read(format!("timestamp,open,high,low,close,volume\n{rows}"), Timeframe::Minutes1, None).unwrap();
        prop_assert_eq!(bits(&file.bars), bits(&bars));
        prop_assert_eq!(rejected(&file) + file.collapsed, 0);
    }
}

/// How fast.
#[test]
#[ignore = "a measurement, run by: cargo test --release -p ktrdrd --lib -- --ignored --nocapture speed"]
fn speed() {
    let row = |minute: i64| {
        let at = jiff::Timestamp::from_second(1_700_000_000 + minute * 60).unwrap().to_string();
        format!("{}+00:00,457.99,458.12,457.92,457.925,200.0\n", at.replace('T', " ").trim_end_matches('Z'))
    };
    let text = format!("timestamp,open,high,low,close,volume\n{}", (0..2_000_000).map(row).collect::<String>());
    let began = std::time::Instant::now();
    let mut reader = CsvReader::new(options(Timeframe::Minutes1, None));
    text.as_bytes().chunks(1 << 20).for_each(|piece| reader.push(piece).unwrap());
    let file = reader.finish().unwrap();
    println!("{} rows in {:?}", file.rows, began.elapsed());
    assert_eq!(file.bars.len(), 2_000_000);
}
