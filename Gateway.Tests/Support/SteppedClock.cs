namespace Gateway.Tests.Support;

/// <summary>A clock that stands still until it is moved. It has no timers.</summary>
internal sealed class SteppedClock(DateTimeOffset now) : TimeProvider
{
    private DateTimeOffset _now = now;

    public SteppedClock()
        : this(new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public void Move(TimeSpan by) => _now += by;
}
