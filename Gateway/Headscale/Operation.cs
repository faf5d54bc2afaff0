using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>
/// An operation of Headscale's API with its arguments, by the id of its rule. What differs from version to version is decided
/// here, so that pages do not know it.
/// </summary>
/// <param name="Rule">The id of the rule in the policy.</param>
internal sealed record Operation(string Rule)
{
    public IReadOnlyDictionary<string, string> Path { get; private init; } = Call.None;

    public IReadOnlyDictionary<string, string> Query { get; private init; } = Call.None;

    public IReadOnlyDictionary<string, Argument> Body { get; private init; } = Call.NoMembers;

    /// <summary>An operation with arguments that somebody else put together.</summary>
    public static Operation Of(
        string rule, IReadOnlyDictionary<string, string> path, IReadOnlyDictionary<string, string> query,
        IReadOnlyDictionary<string, Argument> body) => new(rule) { Path = path, Query = query, Body = body };

    /// <summary>All nodes that the caller may see.</summary>
    public static Operation ListNodes() => new("nodes.list");

    public static Operation GetNode(string id) => OnNode("nodes.get", id);

    public static Operation DeleteNode(string id) => OnNode("nodes.delete", id);

    public static Operation ExpireNode(string id) => OnNode("nodes.expire", id);

    public static Operation RenameNode(string id, string name) => new("nodes.rename") { Path = Texts(("nodeId", id), ("newName", name)) };

    public static Operation SetTags(string id, IReadOnlyList<string> tags) =>
        OnNode("nodes.set_tags", id) with { Body = Members(("tags", Argument.Of(tags))) };

    public static Operation ApproveRoutes(string id, IReadOnlyList<string> routes) =>
        OnNode("nodes.approve_routes", id) with { Body = Members(("routes", Argument.Of(routes))) };

    /// <summary>Gives a node to another user; up to 0.27.</summary>
    public static Operation MoveNode(string id, string userId) =>
        OnNode("nodes.move", id) with { Body = Members(("user", Argument.Of(userId))) };

    /// <summary>Lets a waiting device in. 0.29 has an operation of its own for it. Both take the name of the user and not the id.</summary>
    public static Operation Register(HeadscaleVersion version, string userName, string key) => version.HasAuthRegister
        ? new(RegisterRule(version)) { Body = Members(("user", Argument.Of(userName)), ("authId", Argument.Of(key))) }
        : new(RegisterRule(version)) { Query = Texts(("user", userName), ("key", key)) };

    /// <summary>The rule by which devices are registered.</summary>
    public static string RegisterRule(HeadscaleVersion version) => version.HasAuthRegister ? "auth.register" : "nodes.register";

    /// <summary>The pre-auth keys: up to 0.27 those of one user, since then all that the caller may see.</summary>
    public static Operation ListKeys(HeadscaleVersion version, string userId) =>
        new("keys.list") { Query = version.HasTagOwnership ? Call.None : Texts(("user", userId)) };

    /// <param name="userId">Whose key it is; null: the key of nobody, which needs tags.</param>
    /// <param name="expiration">When it ends, as RFC 3339.</param>
    public static Operation CreateKey(string? userId, bool reusable, bool ephemeral, string expiration, IReadOnlyList<string> tags)
    {
        var members = Members(
            ("reusable", Argument.Of(reusable)), ("ephemeral", Argument.Of(ephemeral)), ("expiration", Argument.Of(expiration)));
        if (userId is not null)
        {
            members["user"] = Argument.Of(userId);
        }

        if (tags.Count > 0)
        {
            members["aclTags"] = Argument.Of(tags);
        }

        return new("keys.create") { Body = members };
    }

    /// <summary>Since 0.28 a key is named by its id, before by its user and itself.</summary>
    public static Operation ExpireKey(HeadscaleVersion version, string id, string userId, string key) => new("keys.expire")
    {
        Body = version.HasTagOwnership
            ? Members(("id", Argument.Of(id)))
            : Members(("user", Argument.Of(userId)), ("key", Argument.Of(key))),
    };

    public static Operation ListApiKeys() => new("apikeys.list");

    /// <param name="expiration">When it ends, as RFC 3339.</param>
    public static Operation CreateApiKey(string expiration) =>
        new("apikeys.create") { Body = Members(("expiration", Argument.Of(expiration))) };

    /// <summary>Since 0.28 a prefix is masked in lists, and the id tells keys apart.</summary>
    public static Operation ExpireApiKey(HeadscaleVersion version, string id, string prefix) => new("apikeys.expire")
    {
        Body = version.HasTagOwnership ? Members(("id", Argument.Of(id))) : Members(("prefix", Argument.Of(prefix))),
    };

    /// <param name="listed">The prefix as the list has it.</param>
    public static Operation DeleteApiKey(string listed) => new("apikeys.delete") { Path = Texts(("prefix", ApiKeyFormat.BareOf(listed))) };

    /// <param name="displayName">Empty for none.</param>
    /// <param name="email">Empty for none.</param>
    public static Operation CreateUser(string name, string displayName, string email)
    {
        var members = Members(("name", Argument.Of(name)));
        foreach (var (member, text) in new[] { ("displayName", displayName), ("email", email) })
        {
            if (text.Length > 0)
            {
                members[member] = Argument.Of(text);
            }
        }

        return new("users.create") { Body = members };
    }

    public static Operation RenameUser(string id, string name) => new("users.rename") { Path = Texts(("oldId", id), ("newName", name)) };

    public static Operation DeleteUser(string id) => new("users.delete") { Path = Texts(("id", id)) };

    public static Operation GetPolicy() => new("policy.get");

    public static Operation SetPolicy(string policy) => new("policy.set") { Body = Members(("policy", Argument.Of(policy))) };

    /// <summary>Checks a policy without setting it; since 0.29.</summary>
    public static Operation CheckPolicy(string policy) => new("policy.check") { Body = Members(("policy", Argument.Of(policy))) };

    private static Operation OnNode(string rule, string id) => new(rule) { Path = Texts(("nodeId", id)) };

    private static Dictionary<string, string> Texts(params ReadOnlySpan<(string Name, string Value)> texts)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in texts)
        {
            named[name] = value;
        }

        return named;
    }

    private static Dictionary<string, Argument> Members(params ReadOnlySpan<(string Name, Argument Value)> members)
    {
        var named = new Dictionary<string, Argument>(StringComparer.Ordinal);
        foreach (var (name, value) in members)
        {
            named[name] = value;
        }

        return named;
    }
}
