namespace Gateway.Web.Layout;

/// <summary>What the rows of the policy and the names of changes are in everyday words.</summary>
internal static class TaskNames
{
    /// <summary>How it is asked for ("rename a device"), and how it is told afterwards ("renamed a device").</summary>
    private static readonly Dictionary<string, (string Do, string Did)> _words = new(StringComparer.Ordinal)
    {
        ["nodes.list"] = ("list devices", "listed devices"),
        ["nodes.get"] = ("look at a device", "looked at a device"),
        ["nodes.delete"] = ("delete a device", "deleted a device"),
        ["nodes.expire"] = ("sign out a device", "signed out a device"),
        ["nodes.rename"] = ("rename a device", "renamed a device"),
        ["nodes.set_tags"] = ("set tags of a device", "set tags of a device"),
        ["nodes.approve_routes"] = ("approve routes of a device", "changed the approved routes of a device"),
        ["nodes.move"] = ("give a device to somebody else", "gave a device to somebody else"),
        ["nodes.register"] = ("register a device", "registered a device"),
        ["nodes.backfill_ips"] = ("give missing addresses to devices", "gave missing addresses to devices"),
        ["nodes.debug_create"] = ("create a device for tests", "created a device for tests"),
        ["auth.register"] = ("register a device that waits", "registered a device"),
        ["auth.approve"] = ("approve a device that waits", "approved a device"),
        ["auth.reject"] = ("reject a device that waits", "rejected a device"),
        ["users.list"] = ("list Headscale users", "listed Headscale users"),
        ["users.create"] = ("create a Headscale user", "created a Headscale user"),
        ["users.rename"] = ("rename a Headscale user", "renamed a Headscale user"),
        ["users.delete"] = ("delete a Headscale user", "deleted a Headscale user"),
        ["keys.list"] = ("list pre-auth keys", "listed pre-auth keys"),
        ["keys.create"] = ("make a pre-auth key", "made a pre-auth key"),
        ["keys.expire"] = ("expire a pre-auth key", "expired a pre-auth key"),
        ["keys.delete"] = ("delete a pre-auth key", "deleted a pre-auth key"),
        ["policy.get"] = ("read the access rules", "read the access rules"),
        ["policy.set"] = ("change the access rules", "changed the access rules"),
        ["policy.check"] = ("check access rules", "checked access rules"),
        ["apikeys.list"] = ("list API keys", "listed API keys"),
        ["apikeys.create"] = ("make an API key", "made an API key"),
        ["apikeys.expire"] = ("revoke an API key", "revoked an API key"),
        ["apikeys.delete"] = ("delete an API key", "deleted an API key"),
        ["health.get"] = ("ask for Headscale's health", "asked for Headscale's health"),
        ["v2.devices.list"] = ("list devices", "listed devices"),
        ["v2.devices.get"] = ("look at a device", "looked at a device"),
        ["v2.devices.delete"] = ("delete a device", "deleted a device"),
        ["v2.devices.rename"] = ("rename a device", "renamed a device"),
        ["v2.devices.get_routes"] = ("look at routes of a device", "looked at routes of a device"),
        ["v2.devices.approve_routes"] = ("approve routes of a device", "changed the approved routes of a device"),
        ["v2.devices.authorize"] = ("authorise a device", "authorised a device"),
        ["v2.devices.set_tags"] = ("set tags of a device", "set tags of a device"),
        ["v2.devices.set_key"] = ("set when a device's key ends", "set when a device's key ends"),
        ["v2.keys.list"] = ("list keys", "listed keys"),
        ["v2.keys.create"] = ("make a key", "made a key"),
        ["v2.keys.get"] = ("look at a key", "looked at a key"),
        ["v2.keys.delete"] = ("delete a key", "deleted a key"),
        ["v2.policy.get"] = ("read the access rules", "read the access rules"),
        ["v2.policy.set"] = ("change the access rules", "changed the access rules"),
        ["v2.settings.get"] = ("read settings of the tailnet", "read settings of the tailnet"),
        ["v2.settings.set"] = ("change settings of the tailnet", "changed settings of the tailnet"),
        ["v2.users.list"] = ("list Headscale users", "listed Headscale users"),
        ["v2.users.get"] = ("look at a Headscale user", "looked at a Headscale user"),
        ["people.role"] = ("change the role of", "changed the role of"),
        ["people.unpin"] = ("take back the hand-given role of", "took back the hand-given role of"),
        ["people.link"] = ("link", "linked"),
        ["people.unlink"] = ("remove the link of", "removed the link of"),
        ["people.approve"] = ("confirm the link of", "confirmed the link of"),
        ["people.decline"] = ("decline the request of", "declined the request of"),
        ["people.claim"] = ("say which Headscale user is theirs:", "said which Headscale user is theirs:"),
        ["people.withdraw"] = ("withdraw their request", "withdrew their request"),
        ["people.ask"] = ("ask for access", "asked for access"),
        ["people.owner"] = ("hand ownership over to", "handed ownership over to"),
        ["people.add"] = ("add", "added"),
        ["people.remove"] = ("remove", "removed"),
        ["sign_in.oidc"] = ("sign in with the provider", "signed in with the provider"),
        ["sign_in.api_key"] = ("sign in with an API key", "signed in with an API key"),
        ["sign_out"] = ("sign out", "signed out"),
        ["sign_out.provider"] = ("be signed out by the provider", "was signed out by the provider"),
        ["session.revoke"] = ("end a session", "ended a session"),
        ["page.form"] = ("send a form that was too old or came from elsewhere", "sent a form"),
        ["page"] = ("open a page", "opened a page"),
        ["backup"] = ("make a backup", "made a backup"),
        ["restore"] = ("restore a backup", "restored a backup"),
        ["import.headplane"] = ("import people from Headplane", "imported people from Headplane"),
    };

    /// <summary>With a capital letter, for tables; the row's own name where there are no words for it.</summary>
    public static string Of(string row) =>
        _words.TryGetValue(row, out var words) ? char.ToUpperInvariant(words.Do[0]) + words.Do[1..] : row;

    /// <summary>What was done, or what somebody tried to do.</summary>
    public static string Told(string? row, bool isDone, string fallback) =>
        row is not null && _words.TryGetValue(row, out var words) ? isDone ? words.Did : $"tried to {words.Do}"
        : isDone ? fallback : $"tried {fallback}";
}
