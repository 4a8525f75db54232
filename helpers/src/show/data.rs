//! A figure or a table for programs, as JSON: the cells of its text form, and of a figure the axes,
//! the series with their raw samples, what they are compared with, and the caption.

use crate::judge::warning::Warning;
use crate::show::caption::Caption;
use crate::show::figure::{Axis, Figure, Mark, Point, Scale, Series, Style};
use crate::time::design::Family;
use serde_json::{Map, Value, json};

impl Figure {
    /// Each number as fine as a double is; in the cells, as a reader wants it.
    pub(crate) fn data(&self) -> Value {
        let series = self.series.iter().map(|series| self.series_data(series));
        let marks = self.marks.iter().map(mark_data);
        let table = self.table();
        json!({
            "title": self.title,
            "header": table.header,
            "rows": table.rows,
            "position": axis_data(&self.position),
            "value": axis_data(&self.value),
            "series": series.collect::<Vec<_>>(),
            "marks": marks.collect::<Vec<_>>(),
            "caption": self.caption.data(),
        })
    }

    fn series_data(&self, series: &Series) -> Value {
        let points = series.points.iter().map(|point| self.point_data(point));
        json!({
            "label": series.label,
            "family": family_name(series.family),
            "style": style_name(series.style),
            "points": points.collect::<Vec<_>>(),
        })
    }

    fn point_data(&self, point: &Point) -> Value {
        let mut data = Map::new();
        data.insert("at".into(), json!(point.at));
        if let Scale::Named(_) = self.position.scale {
            data.insert("name".into(), json!(self.position.written(point.at)));
        }
        if let Some(group) = self.heading_of(point) {
            data.insert("group".into(), json!(group));
        }
        let estimate = point.estimate;
        data.insert("value".into(), json!(estimate.value));
        if estimate.low != estimate.high {
            data.insert("low".into(), json!(estimate.low));
            data.insert("high".into(), json!(estimate.high));
        }
        if let Some(modes) = estimate.modes {
            let both = modes.values.iter().zip(modes.samples);
            let mode = |(value, samples)| json!({ "value": value, "samples": samples });
            data.insert("modes".into(), both.map(mode).collect());
        }
        if !point.raw.is_empty() {
            data.insert("samples".into(), json!(point.raw));
        }
        if !point.note.is_empty() {
            data.insert("note".into(), json!(point.note));
        }
        data.into()
    }
}

impl Caption {
    pub(crate) fn data(&self) -> Value {
        let settings = self.settings.iter();
        let settings = settings.map(|(name, value)| (name.clone(), json!(value)));
        let warnings = self.warnings.iter().map(Warning::to_string);
        json!({
            "settings": settings.collect::<Map<_, _>>(),
            "warnings": warnings.collect::<Vec<_>>(),
            "measured": self.measured,
        })
    }
}

fn axis_data(axis: &Axis) -> Value {
    match &axis.scale {
        Scale::Linear => json!({ "label": axis.label, "scale": "linear" }),
        Scale::Log => json!({ "label": axis.label, "scale": "log" }),
        Scale::Named(names) => json!({ "label": axis.label, "scale": "named", "names": names }),
    }
}

fn mark_data(mark: &Mark) -> Value {
    json!({ "label": mark.label, "at": mark.at, "values": mark.values })
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Lock => "lock",
        Family::Atomic => "atomic",
        Family::Channel => "channel",
        Family::Task => "task",
        Family::Reference => "reference",
    }
}

fn style_name(style: Style) -> &'static str {
    match style {
        Style::Joined => "joined",
        Style::Scattered => "scattered",
        Style::Computed => "computed",
        Style::Stacked => "stacked",
        Style::Distribution => "distribution",
        Style::Strip => "strip",
        Style::Guessed => "guessed",
    }
}
