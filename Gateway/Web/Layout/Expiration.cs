using System.Globalization;

namespace Gateway.Web.Layout;

/// <summary>How long a new key is good for.</summary>
internal static class Expiration
{
    private const int LongestDays = 366;

    /// <summary>As the form's field <c>days</c> says, at least one day; as Headscale takes it.</summary>
    public static string FromForm(IFormCollection form, TimeProvider clock) =>
        Text(
            clock.GetUtcNow().AddDays(int.TryParse(form["days"], NumberStyles.None, CultureInfo.InvariantCulture, out var days)
                ? Math.Clamp(days, 1, LongestDays) : 1));

    /// <summary>So many days from now, as Headscale takes it.</summary>
    public static string InDays(int days, TimeProvider clock) => Text(clock.GetUtcNow().AddDays(days));

    /// <summary>A moment as Headscale takes it (RFC 3339).</summary>
    public static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
