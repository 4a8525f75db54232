//! Measure, summarise and draw.
