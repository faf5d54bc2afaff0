using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Account;

/// <summary>Browsers and systems in a few words, out of what they say of themselves (RFC 9110 10.1.5).</summary>
public static class Browsers
{
    // Each says that it is the ones below it as well.
    private static readonly (string Mark, string Name)[] _browsers =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")];

    private static readonly (string Mark, string Name)[] _systems =
        [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")];

    /// <summary>Such as "Firefox on Windows"; its own words, cut short, where it is none that is known.</summary>
    public static string NameOf(string? agent)
    {
        var (browser, system) = (Find(_browsers, agent), SystemOf(agent));
        return (browser, system) switch
        {
            ({ } name, { } on) => T("{0} on {1}", name, on),
            ({ } name, null) => name,
            _ => agent is null ? T("not known") : agent.Length > 40 ? agent[..40] + "…" : agent,
        };
    }

    /// <summary>The system alone; null where it is not said.</summary>
    public static string? SystemOf(string? agent) => Find(_systems, agent);

    private static string? Find((string Mark, string Name)[] known, string? agent) =>
        agent is null ? null : Array.Find(known, one => agent.Contains(one.Mark, StringComparison.Ordinal)).Name;
}
