using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>Times as people say them.</summary>
public static class Moments
{
    /// <summary>Such as "3 h ago", "in 12 days" or "now"; beyond a year, the day itself.</summary>
    public static string Of(DateTimeOffset at, DateTimeOffset now)
    {
        var (span, isPast) = ((at - now).Duration(), at <= now);
        return span switch
        {
            { TotalSeconds: < 60 } => isPast ? T("now") : T("in a moment"),
            { TotalMinutes: < 60 } => isPast ? T("{0} min ago", $"{span.TotalMinutes:0}") : T("in {0} min", $"{span.TotalMinutes:0}"),
            { TotalHours: < 24 } => isPast ? T("{0} h ago", $"{span.TotalHours:0}") : T("in {0} h", $"{span.TotalHours:0}"),
            { TotalDays: < 2 } => isPast ? T("1 day ago") : T("in 1 day"),
            { TotalDays: < 366 } => isPast ? T("{0} days ago", $"{span.TotalDays:0}") : T("in {0} days", $"{span.TotalDays:0}"),
            _ => at.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
        };
    }
}
