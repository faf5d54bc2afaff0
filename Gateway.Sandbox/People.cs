using Gateway.Sandbox.StandIns;

namespace Gateway.Sandbox;

/// <summary>Someone who can sign in at the sandbox's front.</summary>
/// <param name="HeadscaleId">Their Headscale user; null for someone who has none.</param>
internal sealed record SandboxPerson(string Login, string Role, string Name, ulong? HeadscaleId)
{
    public string Email => $"{Login}@example.test";
}

/// <summary>One person for each role, and a tailnet that they own parts of.</summary>
internal static class People
{
    public static IReadOnlyList<SandboxPerson> All { get; } =
    [
        new("alice", "owner", "Alice Owner", 1),
        new("bob", "admin", "Bob Admin", 2),
        new("nina", "network_admin", "Nina Network", 3),
        new("ivan", "it_admin", "Ivan Helpdesk", 4),
        new("audrey", "auditor", "Audrey Auditor", 5),
        new("vera", "viewer", "Vera Viewer", 6),
        new("sam", "self_service", "Sam Selfservice", 7),
        new("mel", "member", "Mel Member", null),
    ];

    /// <summary>Everyone again, as the provider knows them, and one account for each case of matching.</summary>
    public static IReadOnlyList<ProviderAccount> AtProvider { get; } =
    [
        .. All.Select(one => new ProviderAccount(
            one.Login, $"sub-{one.Login}", one.Name, one.Email, true, [one.Role is "owner" ? "admin" : one.Role])),
        new("pia", "sub-pia", "Pia, found by Headscale's providerId", "pia@elsewhere.test", true, ["self_service"]),
        new(
            "otto", "auth0|5f7c", "Otto, whose subject has a character that Headscale escapes", "otto@elsewhere.test", true,
            ["self_service"]),
        new("eve", "sub-eve", "Eve, with sam's address that nobody verified: not linked", "sam@example.test", false, ["self_service"]),
        new("tina", "sub-tina", "Tina, whose address two Headscale users have: not linked", "twins@example.test", true, ["self_service"]),
    ];

    /// <summary>The Headscale users that only the provider's people belong to.</summary>
    public static void SettleProvider(HeadscaleStandIn headscale, string issuer)
    {
        var users = headscale.Tailnet.Users;
        users.Add(new TailnetUser(31, "pia", "", $"{issuer}/sub-pia", "Pia"));
        users.Add(new TailnetUser(32, "otto", "", $"{issuer}/auth0%7C5f7c", "Otto"));
        users.Add(new TailnetUser(33, "twin-a", "twins@example.test"));
        users.Add(new TailnetUser(34, "twin-b", "twins@example.test"));
        headscale.Tailnet.Nodes.Add(new TailnetNode(41, "pia-laptop", 31));
        headscale.Tailnet.Nodes.Add(new TailnetNode(42, "otto-laptop", 32));
    }

    /// <summary>Every person with a Headscale user owns one node (their id plus 10) and one key; node 20 is tagged.</summary>
    public static void Settle(HeadscaleStandIn headscale)
    {
        var tailnet = headscale.Tailnet;
        foreach (var person in All.Where(one => one.HeadscaleId is not null))
        {
            var id = person.HeadscaleId!.Value;
            tailnet.Users.Add(new TailnetUser(id, person.Login, person.Email, "", person.Name));
            var key = headscale.Api.CreateKey(id, "2036-01-01T00:00:00Z", []);
            tailnet.Nodes.Add(new TailnetNode(id + 10, $"{person.Login}-laptop", id) { KeyId = key.Id });
        }

        tailnet.Nodes.Add(new TailnetNode(20, "db-1", 1) { Tags = ["tag:db"] });
    }
}
