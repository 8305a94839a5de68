//! A real server on a free port, a recording handler, scripts, crashes.
