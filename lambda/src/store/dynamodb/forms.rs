//! What a process knows of the forms in which the table writes its times, and whether it may ask for all there are.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stream_core::time_forms::TimeForms;
use stream_core::times::Times;

/// Read units that the smallest query costs, as DynamoDB counts it: 4 KB, eventually consistent.
const SMALLEST_UNITS: f64 = 0.5;
/// Rows of which such an answer has at most, where nobody counts units.
const SMALLEST_ROWS: usize = 50;

/// The forms that were met, and the labels of which a day is read for the price of a minute.
#[derive(Debug)]
pub(super) struct Forms(Mutex<Known>);

#[derive(Debug)]
struct Known {
    times: Times,
    forms: TimeForms,
    /// For each label, whether every query for all forms was one of the smallest so far. Such a label is read for all forms
    /// each time, at no cost: a row of a form that nobody has met is found at once.
    is_small: Vec<bool>,
}

impl Forms {
    /// Knows nothing yet of a table with that many labels.
    pub(super) fn new(times: Times, labels: usize) -> Self {
        Self(Mutex::new(Known { times, forms: TimeForms::unknown(times), is_small: vec![true; labels] }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The forms to ask for.
    pub(super) fn of(&self, label: u8) -> TimeForms {
        let known = self.known();
        let is_small = known.is_small.get(usize::from(label)).is_some_and(|is_small| *is_small);
        if is_small { known.forms.or(TimeForms::all(known.times)) } else { known.forms }
    }

    /// What is known, as a text for other instances: the forms, and which labels are not read for the price of a minute.
    pub(super) fn to_text(&self) -> String {
        let known = self.known();
        let small: String = known.is_small.iter().map(|is_small| if *is_small { 's' } else { 'l' }).collect();
        format!("{} {small}", known.forms.to_text())
    }

    /// Learns what another instance knew. It has read the day for all forms, and this one need not; what is no such text says
    /// nothing.
    pub(super) fn learn_text(&self, text: &str) {
        let mut known = self.known();
        let Some((forms, small)) = text.rsplit_once(' ') else { return };
        let Some(forms) = TimeForms::from_text(known.times, forms) else { return };
        if small.len() == known.is_small.len() {
            known.forms = known.forms.or(forms);
            known.is_small.iter_mut().zip(small.bytes()).for_each(|(is_small, of)| *is_small &= of != b'l');
        }
    }

    /// Learns from the answer of a query: the forms of its rows, how many they were and what they cost.
    pub(super) fn learn(&self, label: u8, forms: TimeForms, rows: usize, units: f64) {
        let mut known = self.known();
        known.forms = known.forms.or(forms);
        if let Some(is_small) = known.is_small.get_mut(usize::from(label)) {
            *is_small &= rows <= SMALLEST_ROWS && units <= SMALLEST_UNITS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_asked_for_while_that_costs_nothing_and_those_that_were_met_from_then_on() {
        let forms = Forms::new(Times::TEXTS, 2);
        let (unknown, all) = (TimeForms::unknown(Times::TEXTS), TimeForms::all(Times::TEXTS));
        let mut met = unknown;
        met.note(Times::TEXTS.parse("2025-12-02 10:30:00+0000").unwrap());
        forms.learn(0, met, 50, 0.5);
        assert_eq!((forms.of(0), forms.of(1)), (all, all));
        forms.learn(0, unknown, 50, 1.0);
        assert_eq!((forms.of(0), forms.of(1)), (met, all));
        forms.learn(1, unknown, 51, 0.0);
        forms.learn(1, unknown, 0, 0.5);
        assert_eq!((forms.of(1), forms.of(2)), (met, met));
    }

    #[test]
    fn another_instance_learns_what_this_one_knows() {
        let (forms, other) = (Forms::new(Times::TEXTS, 2), Forms::new(Times::TEXTS, 2));
        let mut met = TimeForms::unknown(Times::TEXTS);
        met.note(Times::TEXTS.parse("2025-12-02 10:30+0530").unwrap());
        forms.learn(1, met, 51, 1.0);
        for text in
            ["", "x", "1 2 3", "32 32 3 390 0 sll", "32 32 9 390 0 sl", "32 32 3 99999 0 sl", "33 32 3 390 0 sl"]
        {
            other.learn_text(text);
            assert_eq!(other.of(1), TimeForms::all(Times::TEXTS), "{text}");
        }
        other.learn_text(&forms.to_text());
        assert_eq!((other.of(1), other.of(0)), (met, TimeForms::all(Times::TEXTS)));
    }
}
