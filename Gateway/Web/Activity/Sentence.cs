using Gateway.Audit;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Layout;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Activity;

/// <summary>An audit entry as somebody would tell it.</summary>
/// <param name="Line">The entry.</param>
/// <param name="Who">What the actor is called; null for nobody.</param>
/// <param name="Text">What they did or tried.</param>
/// <param name="Why">Why it was refused; null where it was not.</param>
public sealed record Sentence(AuditLine Line, string? Who, string Text, string? Why)
{
    private static readonly Dictionary<string, Reason> _reasons =
        Enum.GetValues<Reason>().ToDictionary(one => SnakeCase.From(one.ToString()), StringComparer.Ordinal);

    /// <summary>Whether it was not let through.</summary>
    public bool IsRefused => !AuditEntry.WasLetThrough(Line.Reason);

    /// <summary>Whether it was let through and did not work: Headscale refused it, or could not be reached.</summary>
    public bool HasFailed => !IsRefused && Line.Status is >= 400;

    /// <summary>How it ended, with the kind of its badge.</summary>
    public (string Badge, string Word) Outcome => IsRefused ? ("bad", T("refused")) : HasFailed ? ("warn", T("failed"))
        : Line.Status is null ? ("warn", T("not known how it ended")) : ("good", T("done"));

    /// <summary>Tells an entry, with the names that people have now.</summary>
    internal static Sentence Of(AuditLine line, People people, RouteTable table)
    {
        var names = people.Snapshot;
        string NameOf(string label) => names.Everyone.FirstOrDefault(one => one.Label == label)?.DisplayName ?? label;
        var draft = new Sentence(line, line.Actor is { } actor ? NameOf(actor) : null, "", null);
        var isPerson = line.Row?.StartsWith("people.", StringComparison.Ordinal) is true;
        var what = line.Row is "people.ask" or "people.withdraw" ? null
            : line.Row is "people.claim" or "auto.role" or "tokens.create" ? line.After
            : line.Row is "tokens.rotate" or "tokens.revoke" ? line.Before
            : isPerson ? NameOf(line.Path)
            : line.Path.StartsWith("/api/", StringComparison.Ordinal) ? line.Before : null;
        var to = isPerson && line.Row is "people.role" or "people.link" or "people.add" && line.After is { } after ? $" ({after})" : "";
        var text = TaskNames.Told(line.Row, !draft.IsRefused && !draft.HasFailed, $"{line.Method} {line.Path}");
        return draft with
        {
            Text = what is null ? text : isPerson ? T("{0} {1}{2}", text, what, to) : $"{text}: {what}",
            Why = draft.IsRefused ? WhyOf(line, table) : draft.HasFailed ? line.Detail : null,
        };
    }

    private static string WhyOf(AuditLine line, RouteTable table)
    {
        var lacks = line.Row is { } row && table.Rule(row) is { } rule ? rule.Capability : Capability.None;
        var reason = _reasons.GetValueOrDefault(line.Reason);
        return reason is Reason.RoleTooLow or Reason.OwnRightsExceeded && lacks is not Capability.None
                ? T("needs {0}, which the role {1} does not have", lacks.Name, line.Role)
            : reason is Reason.NotOwner ? T("the role {0} may do this to their own only", line.Role)
            : reason is Reason.NotLinked ? T("not connected to a Headscale user")
            : reason is Reason.NotInToken ? T("the token is for other things")
            : line.Detail ?? line.Reason.Replace('_', ' ');
    }
}
