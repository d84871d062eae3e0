use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::testing::ManualClock;

const MINUTE: Duration = Duration::from_mins(1);

fn key(name: &str) -> BudgetKey {
    BudgetKey(name.to_owned())
}

/// When each permit was given, in a caller's tight loop over `span` of simulated time.
async fn permits(limit: &Limit, weight: u32, span: Duration) -> Vec<Duration> {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), limit);
    let mut times = Vec::new();
    while clock.monotonic() < span {
        limits
            .acquire(&key("k"), weight, &clock, None)
            .await
            .unwrap();
        times.push(clock.monotonic());
    }
    times
}

/// The most that any window of this length sees; the fixed windows are among them.
fn busiest(times: &[Duration], window: Duration) -> usize {
    (0..times.len())
        .map(|first| times[first..].partition_point(|time| *time < times[first] + window))
        .max()
        .unwrap_or_default()
}

#[tokio::test]
async fn no_minute_fixed_or_sliding_sees_more_than_the_limit_and_most_of_it_is_used() {
    for rpm in [1, 2, 10, 50, 100, 500, 12_000] {
        let minutes = 5;
        let times = permits(&Limit::per_minute(rpm), 1, MINUTE * minutes).await;
        let busiest = busiest(&times, MINUTE);
        assert!(busiest <= rpm as usize, "{busiest} of {rpm} in one minute");
        let used = 100 * times.len() / (rpm * minutes) as usize;
        assert!(rpm < 100 || used >= 90, "{used} % of {rpm} used");
    }
}

/// A clock whose sleeps end late, as a machine's do.
#[derive(Debug)]
struct Late(ManualClock);

#[async_trait]
impl Clock for Late {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, wait: Duration) {
        self.0.sleep(wait + Duration::from_micros(1_700)).await;
    }
}

#[tokio::test]
async fn no_second_sees_more_than_the_limit_and_most_of_it_is_used_though_sleeps_end_late() {
    const SECOND: Duration = Duration::from_secs(1);
    for (rate, used) in [(1, 0), (2, 0), (4, 70), (25, 90), (100, 90)] {
        let clock = Late(ManualClock::impatient());
        let limits = RateLimits::default();
        limits.declare(&key("k"), &Limit::per(rate, SECOND));
        let mut times = Vec::new();
        while clock.monotonic() < 20 * SECOND {
            limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
            times.push(clock.monotonic());
        }
        let busiest = busiest(&times, SECOND);
        assert!(
            busiest <= rate as usize,
            "{busiest} of {rate} in one second"
        );
        let share = 100 * times.len() / (rate as usize * 20);
        assert!(share >= used, "{share} % of {rate} used");
    }
}

#[tokio::test]
async fn no_minute_sees_more_than_the_limit_after_an_idle_hour_or_with_heavy_requests() {
    for rpm in [10, 100, 12_000] {
        let times = permits(&Limit::per_minute(rpm), 2, MINUTE * 3).await;
        assert!(busiest(&times, MINUTE) * 2 <= rpm as usize);
    }
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_minute(100));
    let mut times = Vec::new();
    for number in 0..300 {
        if number == 150 {
            clock.sleep(Duration::from_hours(1)).await;
        }
        limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
        times.push(clock.monotonic());
    }
    assert!(busiest(&times, MINUTE) <= 100);
}

#[tokio::test]
async fn a_minute_stays_strict_while_light_and_heavy_requests_mix() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_minute(10));
    let mut times = Vec::new();
    for number in 0..60_u32 {
        let weight = 1 + number / 5 % 3;
        limits
            .acquire(&key("k"), weight, &clock, None)
            .await
            .unwrap();
        times.extend((0..weight).map(|_| clock.monotonic()));
    }
    assert!(busiest(&times, MINUTE) <= 10);
}

#[tokio::test]
async fn a_request_heavier_than_the_limit_is_refused_instead_of_waiting_for_ever() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_minute(10));
    let error = limits
        .acquire(&key("k"), 11, &clock, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn several_windows_hold_at_once() {
    let limit = Limit::per_minute(600).and(Limit::per_hour(3_000));
    let times = permits(&limit, 1, Duration::from_hours(2)).await;
    assert!(busiest(&times, MINUTE) <= 600);
    assert!(busiest(&times, Duration::from_hours(1)) <= 3_000);
    assert!(times.len() >= 2 * 2_700);
}

#[tokio::test]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let times = permits(&Limit::per_second(10, 5), 1, Duration::from_secs(10)).await;
    assert_eq!(busiest(&times, Duration::from_millis(1)), 5);
    assert!((95..=106).contains(&times.len()));
}

#[tokio::test]
async fn a_raised_limit_does_not_give_what_the_vendor_still_counts() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    let mut times = Vec::new();
    for rpm in [500, 1_000, 500] {
        limits.declare(&key("k"), &Limit::per_minute(rpm));
        for _ in 0..400 {
            limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
            times.push(clock.monotonic());
        }
    }
    assert_eq!(busiest(&times, Duration::from_millis(1)), 10);
    assert!(busiest(&times, MINUTE) <= 1_000);
}

#[tokio::test]
async fn a_key_without_a_limit_passes_and_can_be_paused() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::ZERO);
    limits.pause(&key("k"), Duration::from_secs(7));
    limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(7));
}

#[tokio::test]
async fn a_pause_holds_every_caller_of_the_key_and_no_other_key() {
    let clock = Arc::new(ManualClock::new());
    let limits = Arc::new(RateLimits::default());
    limits.throttled(
        &key("k"),
        Some(Duration::from_millis(4_200)),
        clock.monotonic(),
    );
    let passed = Arc::new(Mutex::new(Vec::new()));
    for name in ["k", "k", "k", "other"] {
        let (clock, limits, passed) =
            (Arc::clone(&clock), Arc::clone(&limits), Arc::clone(&passed));
        tokio::spawn(async move {
            limits.acquire(&key(name), 1, &*clock, None).await.unwrap();
            passed
                .lock()
                .unwrap()
                .push((name, clock.monotonic().as_secs()));
        });
    }
    clock.advance(Duration::from_millis(5_900)).await;
    assert_eq!(*passed.lock().unwrap(), [("other", 0)]);
    clock.advance(Duration::from_millis(100)).await;
    assert_eq!(passed.lock().unwrap()[1..], [("k", 6); 3]);
}

#[tokio::test]
async fn a_pause_reaches_those_who_already_wait() {
    let clock = Arc::new(ManualClock::new());
    let limits = Arc::new(RateLimits::default());
    limits.declare(&key("k"), &Limit::per_second(1, 1));
    limits.acquire(&key("k"), 1, &*clock, None).await.unwrap();
    let waiting = {
        let (clock, limits) = (Arc::clone(&clock), Arc::clone(&limits));
        tokio::spawn(async move {
            limits.acquire(&key("k"), 1, &*clock, None).await.unwrap();
            clock.monotonic()
        })
    };
    clock.advance(Duration::from_millis(500)).await;
    limits.pause(&key("k"), Duration::from_secs(20));
    clock.advance(Duration::from_secs(30)).await;
    assert_eq!(waiting.await.unwrap(), Duration::from_secs(20));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_fails_at_once_and_takes_nothing() {
    let clock = ManualClock::new();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_second(1, 1));
    limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
    let deadline = Some(Duration::from_millis(900));
    let error = limits
        .acquire(&key("k"), 1, &clock, deadline)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    clock.advance(Duration::from_secs(1)).await;
    limits
        .acquire(&key("k"), 1, &clock, deadline.map(|d| d * 2))
        .await
        .unwrap();
}

#[tokio::test]
async fn callers_pass_in_the_order_in_which_they_came_and_one_who_gives_up_leaves_no_gap() {
    let clock = Arc::new(ManualClock::new());
    let limits = Arc::new(RateLimits::default());
    limits.declare(&key("k"), &Limit::per_second(1, 1));
    let passed = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..5 {
        let (clock, limits, passed) =
            (Arc::clone(&clock), Arc::clone(&limits), Arc::clone(&passed));
        tasks.push(tokio::spawn(async move {
            limits.acquire(&key("k"), 1, &*clock, None).await.unwrap();
            passed
                .lock()
                .unwrap()
                .push((number, clock.monotonic().as_secs()));
        }));
    }
    clock.advance(Duration::from_millis(500)).await;
    tasks[1].abort();
    clock.advance(Duration::from_secs(10)).await;
    assert_eq!(*passed.lock().unwrap(), [(0, 0), (2, 1), (3, 2), (4, 3)]);
}

#[test]
fn without_a_named_wait_the_pause_doubles_from_ten_seconds_to_two_minutes() {
    let limits = RateLimits::default();
    let mut now = Duration::ZERO;
    let mut waits = Vec::new();
    for _ in 0..6 {
        let until = limits.throttled(&key("k"), None, now);
        waits.push(until.saturating_sub(now).as_secs());
        now = until;
    }
    assert_eq!(waits, [10, 20, 40, 80, 120, 120]);
    limits.answered(&key("k"), now);
    assert_eq!(
        limits.throttled(&key("k"), None, now),
        now + Duration::from_secs(10)
    );
}

#[test]
fn answers_to_requests_of_one_moment_count_once() {
    let limits = RateLimits::default();
    for wait in [3, 5, 2] {
        limits.throttled(&key("k"), Some(Duration::from_secs(wait)), Duration::ZERO);
    }
    limits.throttled(&key("k"), None, Duration::ZERO);
    let status = limits.status(&key("k"), Duration::ZERO);
    assert_eq!(status.paused_for, Some(Duration::from_secs(6)));
    assert_eq!(status.recent_pauses, 1);
    assert_eq!(status.speed_percent, 50);
}

#[test]
fn after_a_pause_the_speed_is_half_for_a_minute_and_recovers_in_steps() {
    let limits = RateLimits::default();
    let opens = limits.throttled(&key("k"), Some(Duration::from_secs(9)), Duration::ZERO);
    let speed = |seconds| {
        let now = opens + Duration::from_secs(seconds);
        limits.status(&key("k"), now).speed_percent
    };
    assert_eq!(
        [0, 59, 60, 70, 99, 100].map(speed),
        [50, 50, 60, 70, 90, 100]
    );
    let late = limits.status(&key("k"), opens + Duration::from_mins(11));
    assert_eq!(late.recent_pauses, 0);
}

#[tokio::test]
async fn the_halved_speed_is_kept() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_minute(100));
    let opens = limits.throttled(&key("k"), Some(Duration::ZERO), clock.monotonic());
    let mut passed = 0;
    while clock.monotonic() < opens + MINUTE {
        limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
        passed += 1;
    }
    assert!((45..=51).contains(&passed), "{passed} in the minute after");
}

#[tokio::test]
async fn what_a_burst_used_stays_used_when_the_speed_changes() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_second(10, 100));
    for _ in 0..100 {
        limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
    }
    let opens = limits.throttled(&key("k"), Some(Duration::ZERO), clock.monotonic());
    let mut passed = 0;
    while clock.monotonic() <= opens {
        limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
        passed += 1;
    }
    assert!((5..=11).contains(&passed), "{passed} at once");
}

#[tokio::test]
async fn slowing_down_and_recovering_never_exceeds_the_minute() {
    let clock = ManualClock::impatient();
    let limits = RateLimits::default();
    limits.declare(&key("k"), &Limit::per_minute(100));
    let mut times = Vec::new();
    for number in 0..600 {
        if number % 150 == 100 {
            limits.throttled(&key("k"), Some(Duration::ZERO), clock.monotonic());
        }
        limits.acquire(&key("k"), 1, &clock, None).await.unwrap();
        times.push(clock.monotonic());
    }
    assert!(busiest(&times, MINUTE) <= 100);
}
