namespace Gateway.Web.Layout;

/// <summary>Times as people say them.</summary>
public static class Moments
{
    /// <summary>Such as "3 h ago", "in 12 days" or "now"; beyond a year, the day itself.</summary>
    public static string Of(DateTimeOffset at, DateTimeOffset now)
    {
        var span = (at - now).Duration();
        var text = span switch
        {
            { TotalSeconds: < 60 } => null,
            { TotalMinutes: < 60 } => $"{span.TotalMinutes:0} min",
            { TotalHours: < 24 } => $"{span.TotalHours:0} h",
            { TotalDays: < 2 } => "1 day",
            { TotalDays: < 366 } => $"{span.TotalDays:0} days",
            _ => "",
        };
        return text switch
        {
            null => at <= now ? "now" : "in a moment",
            "" => at.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            _ => at <= now ? $"{text} ago" : $"in {text}",
        };
    }
}
