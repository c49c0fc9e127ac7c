//! SVG charts of the HTML page. Labels must already be escaped.

use std::fmt::Write;

use crate::report::sla::distribution::Week;
use crate::report::sla::figures::MetricFigures;
use crate::report::sla::options::{Metric, Unit};
use crate::report::sla::wording::duration;

/// In seconds.
const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 200.0;

fn svg(height: f64, about: &str, content: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{about}\">{content}</svg>")
}

/// A bar chart of counts.
pub fn columns(bars: &[(String, u64)]) -> String {
    let most = bars.iter().map(|bar| bar.1).max().unwrap_or(0).max(1) as f64;
    let all = bars.iter().map(|bar| bar.1).sum::<u64>().max(1) as f64;
    let (bottom, step) = (HEIGHT - 26.0, WIDTH / bars.len().max(1) as f64);
    let mut content =
        format!("<line class=\"grid\" x1=\"0\" y1=\"{bottom}\" x2=\"{WIDTH}\" y2=\"{bottom}\"/>");
    for (at, (label, count)) in bars.iter().enumerate() {
        let (left, height) = (at as f64 * step, *count as f64 / most * (bottom - 22.0));
        let (top, middle) = (bottom - height, left + step / 2.0);
        let share = *count as f64 / all * 100.0;
        let _ = write!(
            content,
            "<rect class=\"low\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"2\">\
             <title>{label}: {count} ({share:.1} %)</title></rect>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            left + 3.0,
            step - 6.0,
            HEIGHT - 8.0
        );
        if *count > 0 {
            let share_label = if share < 1.0 { "&lt;1 %".to_owned() } else { format!("{share:.0} %") };
            let _ = write!(
                content,
                "<text class=\"ink\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{share_label}</text>",
                top - 5.0
            );
        }
    }
    svg(HEIGHT, "Distribution", &content)
}

/// Lines of the median and the 90th percentile by week, with gaps for weeks with too few samples.
pub fn lines(points: &[(&Week, &MetricFigures)]) -> String {
    let metric = points.first().map(|(_, measured)| measured.metric).unwrap_or_default();
    let (left, right, top, bottom) = (80.0, WIDTH - 10.0, 14.0, HEIGHT - 26.0);
    let most =
        axis_end(metric, points.iter().filter_map(|(_, measured)| measured.p90).fold(0.0_f64, f64::max));
    let across = |at: usize| left + (right - left) * at as f64 / (points.len().max(2) - 1) as f64;
    let up = |value: f64| bottom - value / most * (bottom - top);
    let mut content = String::new();
    for share in [0.0, 0.5, 1.0] {
        let y = up(most * share);
        let _ = write!(
            content,
            "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            y + 4.0,
            if share == 0.0 { "0".to_owned() } else { duration(metric, most * share) }
        );
    }
    let high: fn(&MetricFigures) -> Option<f64> = |measured| measured.p90;
    for (class, of) in [("high", high), ("low", |measured| measured.p50)] {
        let mut path = String::new();
        let mut pen_down = false;
        for (at, (week, measured)) in points.iter().enumerate() {
            let Some(value) = of(measured) else {
                pen_down = false;
                continue;
            };
            let _ = write!(path, "{}{:.1} {:.1}", if pen_down { 'L' } else { 'M' }, across(at), up(value));
            pen_down = true;
            let _ = write!(
                content,
                "<circle class=\"{class}{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}: {} ({} measured)</title></circle>",
                if week.partial { " partial" } else { "" },
                across(at),
                up(value),
                week.week,
                duration(metric, value),
                measured.n
            );
        }
        let _ = write!(content, "<path class=\"line-{class}\" d=\"{path}\"/>");
    }
    let last = points.len().saturating_sub(1);
    let every = points.len().div_ceil(6).max(1);
    // The first and the last week are always named, beside their points.
    let is_named = |at: usize| at == last || (at.is_multiple_of(every) && last - at >= every);
    for (at, (week, _)) in points.iter().enumerate().filter(|(at, _)| is_named(*at)) {
        let anchor = match at {
            0 => "start",
            at if at == last => "end",
            _ => "middle",
        };
        let _ = write!(
            content,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            across(at),
            HEIGHT - 8.0,
            week.week
        );
    }
    svg(HEIGHT, "By week", &content) + LEGEND
}

/// The end of an axis that shows `most`, in the unit of the metric: a length of time whose half is round as well.
fn axis_end(metric: Metric, most: f64) -> f64 {
    let unit = match metric.unit() {
        Unit::Minutes => MINUTE,
        Unit::Hours => HOUR,
    };
    let seconds = most * unit;
    let ends = [1.0, 2.0, 4.0, 10.0, 20.0, 30.0].map(|minutes| minutes * MINUTE);
    let ends = ends.into_iter().chain([1.0, 2.0, 4.0, 8.0, 12.0].map(|hours| hours * HOUR));
    let mut ends = ends.chain([1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 60.0].map(|days| days * DAY));
    ends.find(|end| *end >= seconds).unwrap_or(seconds) / unit
}

/// A horizontal bar per group: as long as its 90th percentile, filled up to the median.
pub fn ranges(rows: &[(String, &MetricFigures)]) -> String {
    let most = rows.iter().filter_map(|row| row.1.p90).fold(0.0_f64, f64::max).max(f64::EPSILON);
    let (name, room, step) = (150.0, WIDTH - 150.0 - 84.0, 26.0);
    let mut content = String::new();
    for (at, (label, measured)) in rows.iter().enumerate() {
        let y = at as f64 * step + 4.0;
        let value = measured.p90.unwrap_or(0.0);
        let (low, high) = (measured.p50.unwrap_or(0.0) / most * room, value / most * room);
        let _ = write!(
            content,
            "<text class=\"ink\" x=\"0\" y=\"{:.1}\">{}</text>\
             <rect class=\"high\" x=\"{name}\" y=\"{y}\" width=\"{high:.1}\" height=\"16\" rx=\"2\"/>\
             <rect class=\"low\" x=\"{name}\" y=\"{y}\" width=\"{low:.1}\" height=\"16\" rx=\"2\"/>\
             <text class=\"ink\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y + 12.0,
            shortened(label),
            name + high + 6.0,
            y + 12.0,
            duration(measured.metric, value)
        );
    }
    svg(rows.len() as f64 * step + 4.0, "Slowest groups", &content) + LEGEND
}

const LEGEND: &str = "<p class=\"note\"><svg viewBox=\"0 0 10 10\" style=\"display:inline;width:10px\"><rect class=\"low\" \
                      width=\"10\" height=\"10\" rx=\"2\"/></svg> median &#160; <svg viewBox=\"0 0 10 10\" \
                      style=\"display:inline;width:10px\"><rect class=\"high\" width=\"10\" height=\"10\" rx=\"2\"/></svg> \
                      90th percentile</p>";

/// Shortens an escaped label to the width beside a bar, counting each entity as one character.
fn shortened(label: &str) -> String {
    let mut text = String::new();
    let mut characters = 0;
    let mut rest = label;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '&' => rest.find(';').map_or(1, |end| end + 1),
            character => character.len_utf8(),
        };
        if characters == 21 && rest.len() > length {
            text.push('…');
            break;
        }
        text.push_str(&rest[..length]);
        rest = &rest[length..];
        characters += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sla::figures::Figures;

    #[test]
    fn a_long_label_is_cut_between_characters() {
        assert_eq!(shortened("&lt;script&gt;"), "&lt;script&gt;");
        let long = "&amp;".repeat(30);
        assert_eq!(shortened(&long), "&amp;".repeat(21) + "…");
        assert_eq!(shortened(&"ü".repeat(22)), "ü".repeat(22));
    }

    #[test]
    fn empty_data_renders_an_empty_chart() {
        assert!(columns(&[("≤ 1 min".into(), 0)]).contains("<svg"));
        let week = Week { week: "2026-W20".into(), partial: true, figures: Figures::default() };
        assert!(lines(&[(&week, &MetricFigures::default())]).contains("2026-W20"));
        assert!(ranges(&[]).contains("<svg"));
    }

    #[test]
    fn the_last_week_is_named_beside_its_point() {
        let weeks: Vec<Week> = (1..=14)
            .map(|number| Week {
                week: format!("2026-W{number:02}"),
                partial: false,
                figures: Figures::default(),
            })
            .collect();
        let measured = MetricFigures { p50: Some(30.0), p90: Some(1_676.5), ..MetricFigures::default() };
        let points: Vec<(&Week, &MetricFigures)> = weeks.iter().map(|week| (week, &measured)).collect();
        let chart = lines(&points);
        assert!(chart.contains("x=\"510.0\" y=\"192.0\" text-anchor=\"end\">2026-W14</text>"), "{chart}");
        assert!(!chart.contains(">2026-W13</text>"), "labels must not overlap: {chart}");
        assert!(chart.contains(">2 d</text>") && chart.contains(">1 d</text>"), "round axis: {chart}");
        assert!(chart.contains("1 d 4 h (0 measured)"), "{chart}");
    }
}
