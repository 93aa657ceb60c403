//! Layouts that exist, and files as dirty as they come.

use super::*;
use crate::error::Reasoned;

const HEADER: &str = "timestamp,open,high,low,close,volume\n";

#[test]
fn layout_a_dates() {
    let text = "date,open,high,low,close,volume\n\
                2023-01-01,100.99342830602247,101.31751227541726,99.57805756397205,101.1186747311954,12715\n\
                2023-01-02,100.7168997036801,101.10198198409641,100.29625438091475,100.89012380842858,13121\n";
    let file = read(text, Timeframe::Days1, None).unwrap();
    assert_eq!(starts(&file.bars), ["2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z"]);
    assert_eq!(file.bars.open[0].to_string(), "100.99342830602247");
    assert_eq!(file.bars.volume, [Some(12715.0), Some(13121.0)]);
    assert_eq!((file.rows, file.collapsed), (2, 0));
    assert!(file.rejected.is_empty() && file.notes.is_empty());
    assert_eq!((file.length, file.crc), (text.len() as u64, crc32fast::hash(text.as_bytes())));
}

#[test]
fn layouts_b_to_d_say_the_same() {
    let b = "timestamp,open,high,low,close,volume\n\
             2025-05-22 08:00:00+00:00,202.02,202.55,202.02,202.36,15812.0\n\
             2025-05-22 09:00:00+00:00,202.3,202.72,202.3,202.5,11550.0";
    let c = b.replace("timestamp", "");
    let d = b.replace("+00:00", "Z").replace("22 0", "22T0");
    let expected = read(b, Timeframe::Hours1, None).unwrap();
    assert_eq!(starts(&expected.bars), ["2025-05-22T08:00:00Z", "2025-05-22T09:00:00Z"]);
    for text in [c, d] {
        assert_eq!(read(&text, Timeframe::Hours1, None).unwrap().bars, expected.bars, "{text}");
    }
}

#[test]
fn layout_e_whatever_people_have() {
    let text = "\u{feff}Close, \"Open\" ,High,Low,Time,Volume,Adj Close,Name\r\n\
                \r\n\
                2,1,3,0.5,2025-11-02 00:30:00,\"1\",9,\"a, b\"\r\n\
                2,1,3,0.5, 2025-11-02T08:00:00-04:00 ,,9,\r\n\
                \t \r\n\
                2,1,3,0.5,2025-11-02T08:00:00-05:00,-1,9,x\r\n";
    let file = read(text, Timeframe::Hours1, Some("America/New_York")).unwrap();
    assert_eq!(starts(&file.bars), ["2025-11-02T04:30:00Z", "2025-11-02T12:00:00Z", "2025-11-02T13:00:00Z"]);
    assert_eq!(file.bars.volume, [Some(1.0), None, None]);
    assert_eq!((file.rows, file.bars.open[0], file.bars.close[0]), (3, 1.0, 2.0));
    assert_eq!(file.notes, [finding(kind::COLUMN_IGNORED, 2, &[1]), finding(kind::VOLUME_NOT_REPORTED, 2, &[4, 6])]);
}

#[test]
fn a_file_left_dirty_on_purpose() {
    let text = include_bytes!("../../../../tests/data/DEMO_1d.csv");
    let file = read(text, Timeframe::Days1, None).unwrap();
    assert_eq!((file.rows, file.bars.len(), file.collapsed), (120, 115, 0));
    assert_eq!(file.rejected, [finding(kind::VALUE_MISSING, 5, &[12, 13, 14, 15, 16])]);
    assert!(file.notes.is_empty(), "{:?}", file.notes);
    // high below low and negative volumes are stored: `check` tells
    assert_eq!(file.bars.volume.iter().flatten().filter(|volume| **volume < 0.0).count(), 2);
    assert_eq!(file.bars.iter().filter(|bar| bar.high < bar.low).count(), 4);
}

#[test]
fn each_kind_of_bad_row_is_counted_by_line() {
    let text = "date,open,high,low,close,volume\n\
                someday,1,1,1,1,1\n\
                2024-01-02,1,1,1,,1\n\
                2024-01-02,1,1,1\n\
                2024-01-02,1,1,1,1,1,1\n\
                2024-01-02,1,1,one,1,1\n\
                \n\
                2024-01-02,1,1,1,1,inf\n\
                ,1,1,1,1,1\n\
                2024-01-02,inf,1,1,1,1\n\
                9999-12-31,1,1,1,1,1\n";
    let file = read(text, Timeframe::Days1, None).unwrap();
    assert_eq!((file.rows, file.bars.len()), (9, 0));
    assert_eq!(
        file.rejected,
        [
            finding(kind::TIMESTAMP_UNPARSABLE, 3, &[2, 9, 11]),
            finding(kind::VALUE_MISSING, 2, &[3, 10]),
            finding(kind::FIELDS_MISSING, 1, &[4]),
            finding(kind::FIELDS_EXTRA, 1, &[5]),
            finding(kind::VALUE_UNPARSABLE, 2, &[6, 8]),
        ]
    );
}

#[test]
fn order_and_duplicates_are_settled() {
    let text = "date,open,high,low,close\n\
                2024-01-05,5,5,5,5\n\
                2024-01-03,3,3,3,3\n\
                2024-01-04,4,4,4,4\n\
                2024-01-03,3.0,3,3,3\n\
                2024-01-02,1,1,1,1\n\
                2024-01-04,4,4,4,4.5\n\
                2024-01-04,4,4,4,4\n";
    let file = read(text, Timeframe::Days1, None).unwrap();
    assert_eq!(file.bars.close, [1.0, 3.0, 5.0]);
    assert!(file.bars.is_sorted());
    assert_eq!((file.rows, file.collapsed), (7, 1));
    assert_eq!(file.rejected, [finding(kind::DUPLICATE_CONFLICT, 3, &[4, 7, 8])]);
    assert_eq!(file.notes, [finding(kind::UNSORTED, 3, &[3, 5, 6]), finding(kind::DUPLICATE_IDENTICAL, 1, &[5])]);
}

#[test]
fn only_the_hour_of_the_clock_change_is_lost() {
    let text = "timestamp,open,high,low,close\n\
                2025-11-02 00:00:00,1,1,1,1\n\
                2025-11-02 01:00:00,1,1,1,1\n\
                2025-11-02 02:00:00,1,1,1,1\n\
                2025-11-02 03:00:00,1,1,1,1\n";
    let file = read(text, Timeframe::Hours1, Some("America/New_York")).unwrap();
    assert_eq!(file.bars.len(), 3);
    assert_eq!(file.rejected, [finding(kind::TIMEZONE_AMBIGUOUS, 1, &[3])]);
}

#[test]
fn refused_files_say_why() {
    let long = vec![b'a'; 70_000];
    let cases: [(&[u8], &str); 13] = [
        (b"", "FILE_EMPTY"),
        (b"\xef\xbb\xbf", "FILE_EMPTY"),
        (b"\n \r\n\t\n", "FILE_EMPTY"),
        (b"PAR1\x15\x04\x15\x00", "FILE_NOT_CSV"),
        (b"\x1f\x8b\x08\x00\n", "FILE_NOT_CSV"),
        (b"\xff\xfed\x00a\x00t\x00e\x00", "FILE_NOT_CSV"),
        (b"date,open,high,low,close\n2024-01-02,1,1,1,\x00\n", "FILE_NOT_CSV"),
        (b"date,open,high,low\n2024-01-02,1,1,1\n", "COLUMN_MISSING"),
        (b"2024-01-02 08:00:00Z,1,1,1,1,1\n", "COLUMN_MISSING"),
        (b"{\"date\": 1}\n", "COLUMN_MISSING"),
        (b"date,open,high,low,close\n2024-01-02 08:00,1,1,1,1\n", "TIME_ZONE_NEEDED"),
        (b"date,open,high,low,close\n2024-01-02,1,1,1,1\n", "TIME_ZONE_NEEDED"),
        (&long, "LINE_TOO_LONG"),
    ];
    for (bytes, reason) in cases {
        let error = read(bytes, Timeframe::Hours1, None).unwrap_err();
        assert_eq!(error.reason().name, reason, "{}", bytes.escape_ascii());
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}

#[test]
fn the_error_of_a_file_without_header_says_so() {
    let error = read("2024-01-02,1,1,1,1,1\n", Timeframe::Days1, None).unwrap_err();
    assert_eq!(error.to_string(), "there is no header, the first line is a row: 2024-01-02,1,1,1,1,1");
}

#[test]
fn a_header_alone_is_a_file_without_rows() {
    let file = read(HEADER, Timeframe::Hours1, None).unwrap();
    assert_eq!((file.rows, file.bars.len()), (0, 0));
}

#[test]
fn an_endless_line_is_noticed_at_the_limit() {
    let mut reader = CsvReader::new(options(Timeframe::Hours1, None));
    reader.push(HEADER.as_bytes()).unwrap();
    let zeros = [b'0'; 1000];
    assert!((0..65).all(|_| reader.push(&zeros).is_ok()));
    let error = CsvError::LineTooLong { line: 2 };
    assert_eq!(reader.push(&zeros), Err(error.clone()));
    // final, whatever follows
    assert_eq!(reader.push(b"\n"), Err(error.clone()));
    assert_eq!(reader.finish(), Err(error));
}
