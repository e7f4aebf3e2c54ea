//! A figure of several servers as bars, in SVG.

use std::path::Path;

use plotters::prelude::{
    BLACK, Color, DrawingBackend, IntoDrawingArea, IntoFont, RGBColor, Rectangle, SVGBackend, Text, WHITE,
};

const WIDTH: u32 = 720;
const BAR: u32 = 26;
const TOP: u32 = 34;
/// Where the bars begin, and the room behind the longest one for its number.
const LEFT: f64 = 130.0;
const RIGHT: f64 = 130.0;
const OURS: RGBColor = RGBColor(31, 119, 180);
const THEIRS: RGBColor = RGBColor(150, 150, 150);

/// Draws one bar for each server, as long as its value.
pub(crate) fn bars(path: &Path, title: &str, values: &[(String, f64, String)]) -> Result<(), String> {
    let rows = u32::try_from(values.len()).map_err(|error| error.to_string())?;
    draw(SVGBackend::new(path, (WIDTH, TOP + rows * BAR + 10)), title, values)
        .map_err(|why| format!("{}: {why}", path.display()))
}

#[expect(clippy::cast_possible_truncation, reason = "pixels")]
fn draw<B: DrawingBackend>(backend: B, title: &str, values: &[(String, f64, String)]) -> Result<(), String> {
    let root = backend.into_drawing_area();
    let failed = |error: &dyn std::error::Error| error.to_string();
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    let font = |size: i32| ("sans-serif", size).into_font().color(&BLACK);
    root.draw(&Text::new(title.to_owned(), (8, 8), font(16))).map_err(|error| failed(&error))?;
    let most = values.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let mut y = TOP.cast_signed();
    for (name, value, said) in values {
        let end = (LEFT + (f64::from(WIDTH) - LEFT - RIGHT) * value / most) as i32;
        let color = if name == "ours" { OURS } else { THEIRS };
        let bar =
            Rectangle::new([(LEFT as i32, y), (end.max(LEFT as i32 + 1), y + BAR.cast_signed() - 6)], color.filled());
        root.draw(&bar).map_err(|error| failed(&error))?;
        root.draw(&Text::new(name.clone(), (8, y + 3), font(14))).map_err(|error| failed(&error))?;
        root.draw(&Text::new(said.clone(), (end + 8, y + 3), font(14))).map_err(|error| failed(&error))?;
        y += BAR.cast_signed();
    }
    root.present().map_err(|error| failed(&error))
}
