//! Errors that a gateway sends for a request, as chaos draws them.

/// A code and a text as the gateway writes it. Nothing here says that there is no data where there is some.
pub(crate) const CODES: &[(i32, &str)] = &[
    (100, "Max rate of messages per second has been exceeded:max=50 rec=51 (1)"),
    (162, "Historical Market Data Service error message:HMDS server connection failed"),
    (162, "Historical Market Data Service error message:Historical data request pacing violation"),
    (162, "Historical Market Data Service error message:Trading TWS session is connected from a different IP address"),
    (162, "Mensaje de error del servicio de datos hist\u{f3}ricos:sin conexi\u{f3}n"),
    (165, "Historical Market Data Service query message:HMDS server disconnect occurred.  Attempting reconnection..."),
    (165, "Historical Market Data Service query message:HMDS server connection was successful."),
    (320, "Error reading request. Unable to parse data. For input string: \"\""),
    (322, "Error processing request.-'bQ' : cause - Only 50 simultaneous API historical data requests allowed."),
    (322, "Error processing request.-'bQ' : cause - jextend.bQ.a(Unknown Source)"),
    (366, "No historical data query found for ticker id:"),
    (420, "Invalid Real-time Query:Historical data request pacing violation"),
    (2105, "HMDS data farm connection is broken:ushmds"),
    (2107, "HMDS data farm connection is inactive but should be available upon demand.ushmds"),
    (2119, "Market data farm is connecting:usfarm"),
    (2174, "Warning: You submitted request with date-time attributes without explicit time zone."),
    (2188, "Up-to-date data is not available."),
    (10182, "Failed to request live updates (disconnected)."),
    (10197, "No market data during competing live session"),
    (10225, "Bust event occurred, current subscription is deactivated. Please resubscribe real-time bars immediately."),
    (9_999, "An error that no table knows."),
];
