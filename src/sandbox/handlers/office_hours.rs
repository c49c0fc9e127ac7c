//! Office hours: weekly schedules, and the dates on which they have other hours.
//!
//! Must never store hours that no week or day can have: they are checked before anything is changed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::operations::operations;
use super::plain::retrieve;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::whole_list;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

const MINUTES_OF_DAY: i64 = 24 * 60;
const MINUTES_OF_WEEK: i64 = 7 * MINUTES_OF_DAY;
/// Open times of a schedule start and end on these minutes.
const SCHEDULE_STEP: i64 = 15;

operations! {
    "listOfficeHoursSchedules" => list_schedules,
    "getOfficeHoursSchedule" => |workspace, request| retrieve(&workspace.office_hours, request),
    "createOfficeHoursSchedule" => create_schedule,
    "updateOfficeHoursSchedule" => update_schedule,
    "deleteOfficeHoursSchedule" => delete_schedule,
    "listOfficeHoursExceptions" => list_exceptions,
    "getOfficeHoursException" => |workspace, request| Ok(exception(workspace, request)?.document.clone().into()),
    "createOfficeHoursException" => create_exception,
    "updateOfficeHoursException" => update_exception,
    "deleteOfficeHoursException" => delete_exception,
}

fn list_schedules(workspace: &mut Workspace, _: &ApiRequest) -> HandlerResult {
    let documents = workspace.office_hours.iter().map(|schedule| schedule.document.clone());
    Ok(whole_list("office_hours_schedule.list", "data", documents))
}

fn create_schedule(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let mut schedule = PlainRecord::new(json!({
        "type": "office_hours_schedule",
        "id": workspace.next_id(IdSequence::Addition),
        "name": "",
        "time_zone_name": "",
        "time_intervals": [],
        "twenty_four_seven": false,
        "created_at": now,
        "updated_at": now,
    }));
    set_schedule(&mut schedule.document, &request.body)?;
    let document = schedule.document.clone();
    workspace.office_hours.insert(schedule);
    Ok(SuccessResponse::created(document))
}

fn update_schedule(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut schedule = workspace.office_hours.find(request.path("id"))?.clone();
    set_schedule(&mut schedule.document, &request.body)?;
    schedule.touch(workspace.now());
    let document = schedule.document.clone();
    workspace.office_hours.insert(schedule);
    Ok(document.into())
}

/// Sets the fields that the body has.
fn set_schedule(document: &mut Value, body: &Value) -> Result<(), ErrorResponse> {
    if let Some(name) = body["name"].as_str() {
        if name.trim().is_empty() {
            return Err(ErrorResponse::unprocessable("name", "name must not be empty"));
        }
        document["name"] = json!(name);
    }
    if let Some(zone) = body["time_zone_name"].as_str() {
        // A system without a time zone database cannot tell.
        if TimeZone::get(zone).is_err() && !jiff::tz::db().is_definitively_empty() {
            return Err(ErrorResponse::unprocessable(
                "time_zone_name",
                "time_zone_name must be an IANA time zone",
            ));
        }
        document["time_zone_name"] = json!(zone);
    }
    if let Some(times) = body["time_intervals"].as_array() {
        let times = open_times(times, MINUTES_OF_WEEK, SCHEDULE_STEP)?;
        document["twenty_four_seven"] = json!(are_gapless(&times));
        document["time_intervals"] =
            times.iter().map(|times| interval(*times, day_of_week(*times))).collect();
    }
    Ok(())
}

/// Start and end of an open time, in minutes.
type OpenTime = (i64, i64);

/// The open times in a body, in order. They must not overlap, and lie on multiples of `step` from 0 to `end`.
fn open_times(intervals: &[Value], end: i64, step: i64) -> Result<Vec<OpenTime>, ErrorResponse> {
    let invalid = |message: &str| ErrorResponse::unprocessable("time_intervals", message);
    let mut times = Vec::new();
    for interval in intervals {
        let minutes = interval["start_minute"].as_i64().zip(interval["end_minute"].as_i64());
        let (from, to) = minutes.ok_or_else(|| invalid("start_minute and end_minute are required"))?;
        if from < 0 || to > end || from >= to {
            return Err(invalid(&format!(
                "time_intervals must be within 0 and {end}, and end after they start"
            )));
        }
        if from % step != 0 || to % step != 0 {
            return Err(invalid(&format!(
                "time_intervals must start and end on multiples of {step} minutes"
            )));
        }
        times.push((from, to));
    }
    times.sort_unstable();
    if times.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(invalid("time_intervals must not overlap"));
    }
    Ok(times)
}

/// Whether the times, in order, fill a week.
fn are_gapless(times: &[OpenTime]) -> bool {
    let end = times.iter().try_fold(0, |end, (from, to)| (*from == end).then_some(*to));
    end == Some(MINUTES_OF_WEEK)
}

/// The day on which an open time of a schedule starts; 0 is Monday.
fn day_of_week((from, _): OpenTime) -> i64 {
    from / MINUTES_OF_DAY
}

fn interval((from, to): OpenTime, day: i64) -> Value {
    json!({"start_minute": from, "end_minute": to, "day_of_week": day})
}

/// Deletes the exceptions of the schedule as well.
fn delete_schedule(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    let schedule = workspace.office_hours.remove(id).ok_or_else(ErrorResponse::record_not_found)?;
    let exceptions: Vec<_> = exceptions_of(workspace, id).map(|exception| exception.id.clone()).collect();
    for exception in &exceptions {
        workspace.office_hours_exceptions.remove(exception);
    }
    Ok(SuccessResponse::deleted(&schedule.id, "office_hours_schedule"))
}

fn exceptions_of<'a>(
    workspace: &'a Workspace,
    schedule_id: &'a str,
) -> impl Iterator<Item = &'a PlainRecord> {
    let exceptions = workspace.office_hours_exceptions.iter();
    exceptions.filter(move |exception| exception.text("office_hours_schedule_id") == schedule_id)
}

/// The exception in the path, which must belong to the schedule in the path.
fn exception<'a>(workspace: &'a Workspace, request: &ApiRequest) -> Result<&'a PlainRecord, ErrorResponse> {
    let exception = workspace.office_hours_exceptions.find(request.path("id"))?;
    let is_of_schedule =
        exception.text("office_hours_schedule_id") == request.path("office_hours_schedule_id");
    if is_of_schedule { Ok(exception) } else { Err(ErrorResponse::record_not_found()) }
}

fn list_exceptions(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let schedule = workspace.office_hours.find(request.path("office_hours_schedule_id"))?;
    let documents = exceptions_of(workspace, &schedule.id).map(|exception| exception.document.clone());
    Ok(whole_list("office_hours_exception.list", "data", documents))
}

fn create_exception(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let schedule_id = workspace.office_hours.find(request.path("office_hours_schedule_id"))?.id.clone();
    let mut exception = PlainRecord::new(json!({
        "type": "office_hours_exception",
        "id": workspace.next_id(IdSequence::Addition),
        "office_hours_schedule_id": schedule_id,
        "exception_date": "",
        "exception_type": "closed",
        "name": null,
        "time_intervals": null,
        "recurring_annually": false,
        "created_at": now,
        "updated_at": now,
    }));
    set_exception(workspace, &mut exception, &request.body)?;
    let document = exception.document.clone();
    workspace.office_hours_exceptions.insert(exception);
    Ok(SuccessResponse::created(document))
}

fn update_exception(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut exception = exception(workspace, request)?.clone();
    set_exception(workspace, &mut exception, &request.body)?;
    exception.touch(workspace.now());
    let document = exception.document.clone();
    workspace.office_hours_exceptions.insert(exception);
    Ok(document.into())
}

/// Sets the fields that the body has. A closed date has no open times, any other needs some.
fn set_exception(
    workspace: &Workspace,
    exception: &mut PlainRecord,
    body: &Value,
) -> Result<(), ErrorResponse> {
    exception.update(body, &["exception_date", "exception_type", "name", "recurring_annually"]);
    let date: Date = exception.text("exception_date").parse().map_err(|_| {
        ErrorResponse::unprocessable(
            "exception_date",
            "exception_date must be a date, for example 2026-12-25",
        )
    })?;
    let schedule_id = exception.text("office_hours_schedule_id");
    let is_taken = exceptions_of(workspace, schedule_id).any(|other| {
        other.id != exception.id && other.text("exception_date") == exception.text("exception_date")
    });
    if is_taken {
        let message = "the schedule already has an exception on this date";
        return Err(ErrorResponse::unprocessable("exception_date", message));
    }
    let given = body["time_intervals"].as_array();
    let times = match (exception.text("exception_type"), given) {
        ("closed", None) => Value::Null,
        ("closed", Some(_)) => {
            let message = "time_intervals must be omitted when exception_type is closed";
            return Err(ErrorResponse::unprocessable("time_intervals", message));
        }
        (_, Some(times)) if !times.is_empty() => {
            let day = i64::from(date.weekday().to_monday_zero_offset());
            open_times(times, MINUTES_OF_DAY, 1)?.into_iter().map(|times| interval(times, day)).collect()
        }
        (_, None) if exception.document["time_intervals"].is_array() => {
            moved_to(exception.document["time_intervals"].take(), date)
        }
        _ => return Err(ErrorResponse::unprocessable("time_intervals", "time_intervals is required")),
    };
    exception.document["time_intervals"] = times;
    Ok(())
}

/// The open times of a date that became this one.
fn moved_to(mut times: Value, date: Date) -> Value {
    for interval in times.as_array_mut().into_iter().flatten() {
        interval["day_of_week"] = json!(date.weekday().to_monday_zero_offset());
    }
    times
}

fn delete_exception(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = exception(workspace, request)?.id.clone();
    workspace.office_hours_exceptions.remove(&id);
    Ok(SuccessResponse::deleted(&id, "office_hours_exception"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(pairs: &[OpenTime]) -> Result<Vec<OpenTime>, String> {
        let intervals: Vec<_> =
            pairs.iter().map(|(from, to)| json!({"start_minute": from, "end_minute": to})).collect();
        open_times(&intervals, MINUTES_OF_WEEK, SCHEDULE_STEP).map_err(|error| error.message)
    }

    #[test]
    fn open_times_are_sorted_and_checked() {
        assert_eq!(times(&[(1980, 2460), (540, 1020)]).unwrap(), [(540, 1020), (1980, 2460)]);
        for (wrong, reason) in [
            ([(540, 540)], "end after they start"),
            ([(-15, 60)], "within 0 and 10080"),
            ([(10_065, 10_095)], "within 0 and 10080"),
            ([(545, 600)], "multiples of 15"),
        ] {
            assert!(times(&wrong).unwrap_err().contains(reason), "{wrong:?}");
        }
        assert!(times(&[(0, 60), (45, 90)]).unwrap_err().contains("overlap"));
        assert!(open_times(&[json!({"start_minute": 0})], MINUTES_OF_WEEK, 1).is_err());
    }

    #[test]
    fn a_schedule_is_always_open_if_its_times_leave_no_gap() {
        assert!(are_gapless(&[(0, 5_000), (5_000, MINUTES_OF_WEEK)]));
        assert!(!are_gapless(&[(0, 5_000), (5_015, MINUTES_OF_WEEK)]));
        assert!(!are_gapless(&[(15, MINUTES_OF_WEEK)]) && !are_gapless(&[]));
    }
}
