using System.Collections.Frozen;
using Gateway.Policy;
using Grpc.Core;
using static Gateway.Headscale.Grpc.GrpcMessages;

namespace Gateway.Headscale.Grpc;

/// <summary>One method of Headscale's gRPC service; the operation of its HTTP API that does the same.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Verb">The method of the HTTP operation.</param>
/// <param name="Pattern">The path of the HTTP operation.</param>
/// <param name="Request">The message that is sent.</param>
/// <param name="Response">The message that comes back.</param>
internal sealed record GrpcMethod(string Name, string Verb, string Pattern, GrpcMessage Request, GrpcMessage Response)
{
    /// <summary>First minor version that has it.</summary>
    public int Since { get; init; }

    /// <summary>Last minor version that has it.</summary>
    public int Until { get; init; } = GrpcMethods.LastMinor;

    public bool IsIn(HeadscaleVersion version) => version.Minor >= Since && version.Minor <= Until;
}

/// <summary>Every method of Headscale's gRPC service, from 0.26 to 0.29. Later versions have none.</summary>
internal static class GrpcMethods
{
    /// <summary>The service; a method's path is <c>/headscale.v1.HeadscaleService/ListNodes</c>.</summary>
    public const string Service = "headscale.v1.HeadscaleService";

    /// <summary>The last minor version that speaks gRPC.</summary>
    public const int LastMinor = 29;

    private static readonly GrpcMessage _ofNode = new(One(1, "node", Node));
    private static readonly GrpcMessage _ofUser = new(One(1, "user", User));
    private static readonly GrpcMessage _nodeId = new(Id(1, "nodeId"));
    private static readonly GrpcMessage _authId = new(Text(1, "authId"));
    private static readonly GrpcMessage _policy = new(Text(1, "policy"));
    private static readonly GrpcMessage _ofPolicy = new(Text(1, "policy"), Time(2, "updatedAt"));
    private static readonly GrpcMessage _apiKey = new(Text(1, "prefix"), Id(2, "id") with { Since = 28 });

    public static IReadOnlyList<GrpcMethod> All { get; } =
    [
        new("CreateUser", "POST", "/api/v1/user",
            new(Text(1, "name"), Text(2, "displayName"), Text(3, "email"), Text(4, "pictureUrl")), _ofUser),
        new("RenameUser", "POST", "/api/v1/user/{oldId}/rename/{newName}", new(Id(1, "oldId"), Text(2, "newName")), _ofUser),
        new("DeleteUser", "DELETE", "/api/v1/user/{id}", new(Id(1, "id")), Nothing),
        new("ListUsers", "GET", "/api/v1/user",
            new(Id(1, "id"), Text(2, "name"), Text(3, "email")), new(Many(1, "users", User))),

        new("CreatePreAuthKey", "POST", "/api/v1/preauthkey",
            new(Id(1, "user"), Flag(2, "reusable"), Flag(3, "ephemeral"), Time(4, "expiration"), Texts(5, "aclTags")),
            new(One(1, "preAuthKey", PreAuthKey))),

        // Field 1 is another thing since 0.28: with a wrong idea of the version, somebody else's key would expire.
        new("ExpirePreAuthKey", "POST", "/api/v1/preauthkey/expire",
            new(Id(1, "user") with { Until = 27 }, Id(1, "id") with { Since = 28 }, Text(2, "key") with { Until = 27 }), Nothing),
        new("DeletePreAuthKey", "DELETE", "/api/v1/preauthkey", new(Id(1, "id")), Nothing) { Since = 28 },
        new("ListPreAuthKeys", "GET", "/api/v1/preauthkey",
            new(Id(1, "user") with { Until = 27 }), new(Many(1, "preAuthKeys", PreAuthKey))),

        new("DebugCreateNode", "POST", "/api/v1/debug/node",
            new(Text(1, "user"), Text(2, "key"), Text(3, "name"), Texts(4, "routes")), _ofNode),
        new("GetNode", "GET", "/api/v1/node/{nodeId}", _nodeId, _ofNode),
        new("SetTags", "POST", "/api/v1/node/{nodeId}/tags", new(Id(1, "nodeId"), Texts(2, "tags")), _ofNode),
        new("SetApprovedRoutes", "POST", "/api/v1/node/{nodeId}/approve_routes", new(Id(1, "nodeId"), Texts(2, "routes")), _ofNode),
        new("RegisterNode", "POST", "/api/v1/node/register", new(Text(1, "user"), Text(2, "key")), _ofNode),
        new("DeleteNode", "DELETE", "/api/v1/node/{nodeId}", _nodeId, Nothing),
        new("ExpireNode", "POST", "/api/v1/node/{nodeId}/expire",
            new(Id(1, "nodeId"), Time(2, "expiry") with { Since = 27 }, Flag(3, "disableExpiry") with { Since = 29 }), _ofNode),
        new("RenameNode", "POST", "/api/v1/node/{nodeId}/rename/{newName}", new(Id(1, "nodeId"), Text(2, "newName")), _ofNode),
        new("ListNodes", "GET", "/api/v1/node", new(Text(1, "user")), new(Many(1, "nodes", Node))),
        new("MoveNode", "POST", "/api/v1/node/{nodeId}/user", new(Id(1, "nodeId"), Id(2, "user")), _ofNode) { Until = 27 },
        new("BackfillNodeIPs", "POST", "/api/v1/node/backfillips", new(Flag(1, "confirmed")), new(Texts(1, "changes"))),

        new("AuthRegister", "POST", "/api/v1/auth/register", new(Text(1, "user"), Text(2, "authId")), _ofNode) { Since = 29 },
        new("AuthApprove", "POST", "/api/v1/auth/approve", _authId, Nothing) { Since = 29 },
        new("AuthReject", "POST", "/api/v1/auth/reject", _authId, Nothing) { Since = 29 },

        new("CreateApiKey", "POST", "/api/v1/apikey", new(Time(1, "expiration")), new(Text(1, "apiKey"))),
        new("ExpireApiKey", "POST", "/api/v1/apikey/expire", _apiKey, Nothing),
        new("ListApiKeys", "GET", "/api/v1/apikey", Nothing, new(Many(1, "apiKeys", ApiKey))),
        new("DeleteApiKey", "DELETE", "/api/v1/apikey/{prefix}", _apiKey, Nothing),

        new("GetPolicy", "GET", "/api/v1/policy", Nothing, _ofPolicy),
        new("SetPolicy", "PUT", "/api/v1/policy", _policy, _ofPolicy),
        new("CheckPolicy", "POST", "/api/v1/policy/check", _policy, Nothing) { Since = 29 },
        new("Health", "GET", "/api/v1/health", Nothing, new(Flag(1, "databaseConnectivity"))) { Since = 27 },
    ];

    private static readonly FrozenDictionary<string, GrpcMethod> _byName =
        All.ToFrozenDictionary(one => one.Name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<(string, string), GrpcMethod> _byOperation =
        All.ToFrozenDictionary(one => (one.Verb, one.Pattern));

    /// <summary>What the HTTP face of a version says to an operation that it does not have.</summary>
    public static Status ErrorOf(GrpcMethod missing, HeadscaleVersion version) =>
        All.Any(one => one.Pattern == missing.Pattern && one.IsIn(version))
            ? new(StatusCode.Unimplemented, "Method Not Allowed")
            : new(StatusCode.NotFound, "Not Found");

    /// <summary>The method of a name; null for none.</summary>
    public static GrpcMethod? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The method that does what a rule's operation does; null for none.</summary>
    public static GrpcMethod? Find(string verb, PathTemplate path) => _byOperation.GetValueOrDefault((verb, path.Pattern));
}
