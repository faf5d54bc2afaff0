using System.Text.Json;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Headscale;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Machines;

/// <summary>A node as pages show it.</summary>
/// <param name="Id">Headscale's decimal id.</param>
/// <param name="Name">The name in the tailnet.</param>
/// <param name="HostName">The name that the machine gives itself.</param>
/// <param name="OwnerId">The Headscale user who owns it; null where nobody does.</param>
/// <param name="Owner">The owner's name, or the tags of a machine that nobody owns.</param>
/// <param name="IsOnline">Whether it is connected.</param>
/// <param name="LastSeen">When it was connected last, where Headscale says so.</param>
/// <param name="Expiry">When it must sign in again; null: never.</param>
/// <param name="Addresses">Its addresses in the tailnet.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="AvailableRoutes">The routes that it offers.</param>
/// <param name="ApprovedRoutes">Those that are approved, also where it does not offer them now.</param>
public sealed record Machine(
    string Id, string Name, string HostName, string? OwnerId, string Owner, bool IsOnline, DateTimeOffset? LastSeen, DateTimeOffset? Expiry,
    IReadOnlyList<string> Addresses, IReadOnlyList<string> Tags, IReadOnlyList<string> AvailableRoutes,
        IReadOnlyList<string> ApprovedRoutes)
{
    /// <summary>How long before its end a key is told to end soon.</summary>
    public static readonly TimeSpan SoonIs = TimeSpan.FromDays(7);

    /// <summary>The name by which others reach it, as MagicDNS has it; null where the domain of the tailnet is not known.</summary>
    public string? FullName { get; init; }

    /// <summary>When it first came to the tailnet, where Headscale says so.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>How it came: by a key, on the command line, by sign-in; empty where Headscale does not say.</summary>
    public string RegisteredBy { get; init; } = "";

    /// <summary>The public key that the tailnet knows it by.</summary>
    public string NodeKey { get; init; } = "";

    /// <summary>The id of the pre-auth key that it came with; empty for none, and where that is not told.</summary>
    public string KeyId { get; init; } = "";

    /// <summary>Routes that it offers and nobody has approved.</summary>
    public IReadOnlyList<string> WaitingRoutes => field ??= ApprovedRoutes.Count == 0
        ? AvailableRoutes : [.. AvailableRoutes.Except(ApprovedRoutes, StringComparer.Ordinal)];

    /// <summary>Whether others may reach the internet through it.</summary>
    public bool IsExitNode => ApprovedRoutes.Any(IsExit);

    /// <summary>Whether others reach a network behind it.</summary>
    public bool IsSubnetRouter => ApprovedRoutes.Any(route => !IsExit(route));

    /// <summary>Reads all nodes of a list.</summary>
    /// <param name="baseDomain">The domain of the tailnet; null where it is not known.</param>
    internal static Machine[] AllIn(ApiResponse answer, string? baseDomain = null)
    {
        using var json = answer.Parse();
        return [.. json.RootElement.GetProperty("nodes").EnumerateArray().Select(one => Of(one, baseDomain))];
    }

    /// <summary>Reads a node of any version of Headscale.</summary>
    internal static Machine Of(JsonElement node, string? baseDomain = null)
    {
        IReadOnlyList<string> tags = [.. node.Texts("tags").Concat(node.Texts("forcedTags")).Concat(node.Texts("validTags")).Distinct()];
        var (given, user) = (node.Text("givenName"), node.Thing("user"));
        var owner = user is { } known
            ? new[] { known.Text("displayName"), known.Text("name"), known.Text("email") }.FirstOrDefault(text => text.Length > 0)
            : null;
        return new(
            node.Text("id"),
            given.Length > 0 ? given : node.Text("name"),
            node.Text("name"),
            tags.Count > 0 ? null : user is { } someone ? someone.Text("id") : null,
            tags.Count > 0 ? string.Join(", ", tags) : owner ?? Noop("nobody"),
            node.Flag("online"),
            Moment(node, "lastSeen"),
            Moment(node, "expiry"),
            node.Texts("ipAddresses"),
            tags,
            node.Texts("availableRoutes"),
            node.Texts("approvedRoutes"))
        {
            FullName = baseDomain is null || given.Length == 0 ? null : $"{given}.{baseDomain}",
            Created = Moment(node, "createdAt"),
            RegisteredBy = WordOf(node.Text("registerMethod")),
            NodeKey = node.Text("nodeKey"),
            KeyId = node.Thing("preAuthKey") is { } key ? key.Text("id") : "",
        };
    }

    /// <summary>Whether any of what is shown holds the text.</summary>
    public bool Matches(string text) =>
        new[] { FullName ?? Name, HostName, Owner, Id }.Concat(Addresses).Concat(Tags).Concat(AvailableRoutes).Concat(ApprovedRoutes)
            .Any(one => one.Contains(text, StringComparison.OrdinalIgnoreCase));

    /// <summary>expired, online or offline.</summary>
    public string StatusAt(DateTimeOffset now) => Expiry <= now ? Noop("expired") : IsOnline ? Noop("online") : Noop("offline");

    /// <summary>Whether its key ends within days.</summary>
    public bool ExpiresSoon(DateTimeOffset now) => Expiry > now && Expiry - now < SoonIs;

    private static bool IsExit(string route) => route is "0.0.0.0/0" or "::/0";

    private static string WordOf(string method) => method switch
    {
        "REGISTER_METHOD_AUTH_KEY" => Noop("with a key"),
        "REGISTER_METHOD_CLI" => Noop("by an administrator"),
        "REGISTER_METHOD_OIDC" => Noop("by sign-in"),
        _ => "",
    };

    /// <summary>Null where Headscale says never: null, or its zero time.</summary>
    private static DateTimeOffset? Moment(JsonElement json, string name) => json.Time(name) is { Year: > 1 } time ? time : null;
}
