using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Layout;

/// <summary>What the rows of the policy and the names of changes are in everyday words.</summary>
internal static class TaskNames
{
    /// <summary>
    /// How it is asked for ("rename a device"), and how it is told afterwards ("renamed a device"); after "did|" where English says both
    /// alike, and other languages do not.
    /// </summary>
    private static readonly Dictionary<string, (string Do, string Did)> _words = new(StringComparer.Ordinal)
    {
        ["nodes.list"] = (Noop("list devices"), Noop("listed devices")),
        ["nodes.get"] = (Noop("look at a device"), Noop("looked at a device")),
        ["nodes.delete"] = (Noop("delete a device"), Noop("deleted a device")),
        ["nodes.expire"] = (Noop("sign out a device"), Noop("signed out a device")),
        ["nodes.rename"] = (Noop("rename a device"), Noop("renamed a device")),
        ["nodes.set_tags"] = (Noop("set tags of a device"), Noop("did|set tags of a device")),
        ["nodes.approve_routes"] = (Noop("approve routes of a device"), Noop("changed the approved routes of a device")),
        ["nodes.move"] = (Noop("give a device to somebody else"), Noop("gave a device to somebody else")),
        ["nodes.register"] = (Noop("register a device"), Noop("registered a device")),
        ["nodes.backfill_ips"] = (Noop("give missing addresses to devices"), Noop("gave missing addresses to devices")),
        ["nodes.debug_create"] = (Noop("create a device for tests"), Noop("created a device for tests")),
        ["auth.register"] = (Noop("register a device that waits"), Noop("registered a device")),
        ["auth.approve"] = (Noop("approve a device that waits"), Noop("approved a device")),
        ["auth.reject"] = (Noop("reject a device that waits"), Noop("rejected a device")),
        ["users.list"] = (Noop("list Headscale users"), Noop("listed Headscale users")),
        ["users.create"] = (Noop("create a Headscale user"), Noop("created a Headscale user")),
        ["users.rename"] = (Noop("rename a Headscale user"), Noop("renamed a Headscale user")),
        ["users.delete"] = (Noop("delete a Headscale user"), Noop("deleted a Headscale user")),
        ["keys.list"] = (Noop("list pre-auth keys"), Noop("listed pre-auth keys")),
        ["keys.create"] = (Noop("make a pre-auth key"), Noop("made a pre-auth key")),
        ["keys.expire"] = (Noop("expire a pre-auth key"), Noop("expired a pre-auth key")),
        ["keys.delete"] = (Noop("delete a pre-auth key"), Noop("deleted a pre-auth key")),
        ["policy.get"] = (Noop("read the access rules"), Noop("did|read the access rules")),
        ["policy.set"] = (Noop("change the access rules"), Noop("changed the access rules")),
        ["policy.check"] = (Noop("check access rules"), Noop("checked access rules")),
        ["apikeys.list"] = (Noop("list API keys"), Noop("listed API keys")),
        ["apikeys.create"] = (Noop("make an API key"), Noop("made an API key")),
        ["apikeys.expire"] = (Noop("revoke an API key"), Noop("revoked an API key")),
        ["apikeys.delete"] = (Noop("delete an API key"), Noop("deleted an API key")),
        ["health.get"] = (Noop("ask for Headscale's health"), Noop("asked for Headscale's health")),
        ["v2.devices.list"] = (Noop("list devices"), Noop("listed devices")),
        ["v2.devices.get"] = (Noop("look at a device"), Noop("looked at a device")),
        ["v2.devices.delete"] = (Noop("delete a device"), Noop("deleted a device")),
        ["v2.devices.rename"] = (Noop("rename a device"), Noop("renamed a device")),
        ["v2.devices.get_routes"] = (Noop("look at routes of a device"), Noop("looked at routes of a device")),
        ["v2.devices.approve_routes"] = (Noop("approve routes of a device"), Noop("changed the approved routes of a device")),
        ["v2.devices.authorize"] = (Noop("authorise a device"), Noop("authorised a device")),
        ["v2.devices.set_tags"] = (Noop("set tags of a device"), Noop("did|set tags of a device")),
        ["v2.devices.set_key"] = (Noop("set when a device's key ends"), Noop("did|set when a device's key ends")),
        ["v2.keys.list"] = (Noop("list keys"), Noop("listed keys")),
        ["v2.keys.create"] = (Noop("make a key"), Noop("made a key")),
        ["v2.keys.get"] = (Noop("look at a key"), Noop("looked at a key")),
        ["v2.keys.delete"] = (Noop("delete a key"), Noop("deleted a key")),
        ["v2.policy.get"] = (Noop("read the access rules"), Noop("did|read the access rules")),
        ["v2.policy.set"] = (Noop("change the access rules"), Noop("changed the access rules")),
        ["v2.settings.get"] = (Noop("read settings of the tailnet"), Noop("did|read settings of the tailnet")),
        ["v2.settings.set"] = (Noop("change settings of the tailnet"), Noop("changed settings of the tailnet")),
        ["v2.users.list"] = (Noop("list Headscale users"), Noop("listed Headscale users")),
        ["v2.users.get"] = (Noop("look at a Headscale user"), Noop("looked at a Headscale user")),
        ["tokens.create"] = (Noop("make an access token"), Noop("made an access token")),
        ["tokens.rotate"] = (Noop("make an access token anew"), Noop("made an access token anew")),
        ["tokens.revoke"] = (Noop("revoke an access token"), Noop("revoked an access token")),
        ["people.role"] = (Noop("change the role of"), Noop("changed the role of")),
        ["people.unpin"] = (Noop("take back the hand-given role of"), Noop("took back the hand-given role of")),
        ["people.link"] = (Noop("link"), Noop("linked")),
        ["people.unlink"] = (Noop("remove the link of"), Noop("removed the link of")),
        ["people.approve"] = (Noop("confirm the link of"), Noop("confirmed the link of")),
        ["people.decline"] = (Noop("decline the request of"), Noop("declined the request of")),
        ["people.claim"] = (Noop("say which Headscale user is theirs:"), Noop("said which Headscale user is theirs:")),
        ["people.withdraw"] = (Noop("withdraw their request"), Noop("withdrew their request")),
        ["people.ask"] = (Noop("ask for access"), Noop("asked for access")),
        ["auto.role"] = (Noop("get another role by their groups"), Noop("got another role by their groups")),
        ["people.owner"] = (Noop("hand ownership over to"), Noop("handed ownership over to")),
        ["people.add"] = (Noop("add"), Noop("added")),
        ["people.remove"] = (Noop("remove"), Noop("removed")),
        ["sign_in.oidc"] = (Noop("sign in with the provider"), Noop("signed in with the provider")),
        ["sign_in.api_key"] = (Noop("sign in with an API key"), Noop("signed in with an API key")),
        ["sign_out"] = (Noop("sign out"), Noop("signed out")),
        ["sign_out.provider"] = (Noop("be signed out by the provider"), Noop("was signed out by the provider")),
        ["session.revoke"] = (Noop("end a session"), Noop("ended a session")),
        ["page.form"] = (Noop("send a form that was too old or came from elsewhere"), Noop("sent a form")),
        ["page"] = (Noop("open a page"), Noop("opened a page")),
        ["backup"] = (Noop("make a backup"), Noop("made a backup")),
        ["restore"] = (Noop("restore a backup"), Noop("restored a backup")),
        ["import.headplane"] = (Noop("import people from Headplane"), Noop("imported people from Headplane")),
    };

    /// <summary>All that have words, by the row, in the order of the words.</summary>
    public static IEnumerable<(string Row, string Text)> All =>
        _words.Keys.Select(one => (Row: one, Text: one.StartsWith("v2.", StringComparison.Ordinal) ? $"{Of(one)} (v2)" : Of(one)))
            .OrderBy(one => one.Text, StringComparer.Ordinal);

    /// <summary>With a capital letter, for tables; the row's own name where there are no words for it.</summary>
    public static string Of(string row) =>
        _words.TryGetValue(row, out var words) && T(words.Do) is var text ? char.ToUpperInvariant(text[0]) + text[1..] : row;

    /// <summary>What was done, or what somebody tried to do.</summary>
    public static string Told(string? row, bool isDone, string fallback) =>
        row is not null && _words.TryGetValue(row, out var words) ? isDone ? T(words.Did).Split('|')[^1] : T("tried to {0}", T(words.Do))
        : isDone ? fallback : T("tried {0}", fallback);
}
