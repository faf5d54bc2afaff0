using System.Collections.Immutable;

namespace Gateway.Headscale.Grpc;

/// <summary>
/// The things that Headscale's gRPC service sends, with the field numbers of its running programs, from 0.26 to 0.29.
/// </summary>
internal static class GrpcMessages
{
    public static GrpcMessage User { get; } = new(
        Id(1, "id"), Text(2, "name"), Time(3, "createdAt"), Text(4, "displayName"), Text(5, "email"), Text(6, "providerId"),
        Text(7, "provider"), Text(8, "profilePicUrl"));

    public static GrpcMessage PreAuthKey { get; } = new(
        One(1, "user", User), Id(2, "id"), Text(3, "key"), Flag(4, "reusable"), Flag(5, "ephemeral"), Flag(6, "used"),
        Time(7, "expiration"), Time(8, "createdAt"), Texts(9, "aclTags"));

    public static GrpcMessage ApiKey { get; } = new(
        Id(1, "id"), Text(2, "prefix"), Time(3, "expiration"), Time(4, "createdAt"), Time(5, "lastSeen"));

    public static GrpcMessage Node { get; } = new(
        Id(1, "id"), Text(2, "machineKey"), Text(3, "nodeKey"), Text(4, "discoKey"), Texts(5, "ipAddresses"), Text(6, "name"),
        One(7, "user", User), Time(8, "lastSeen"), Time(10, "expiry"), One(11, "preAuthKey", PreAuthKey), Time(12, "createdAt"),
        new(13, "registerMethod", GrpcType.RegisterMethod), Texts(18, "forcedTags") with { Until = 27 },
        Texts(19, "invalidTags") with { Until = 27 }, Texts(20, "validTags") with { Until = 27 }, Text(21, "givenName"),
        Flag(22, "online"), Texts(23, "approvedRoutes"), Texts(24, "availableRoutes"), Texts(25, "subnetRoutes"),
        Texts(26, "tags") with { Since = 28 });

    public static GrpcMessage Nothing { get; } = new();

    /// <summary>The names of a node's ways to join, by their numbers.</summary>
    public static ImmutableArray<string> RegisterMethods { get; } =
        ["REGISTER_METHOD_UNSPECIFIED", "REGISTER_METHOD_AUTH_KEY", "REGISTER_METHOD_CLI", "REGISTER_METHOD_OIDC"];

    public static GrpcField Id(int number, string name) => new(number, name, GrpcType.Number);

    public static GrpcField Text(int number, string name) => new(number, name, GrpcType.Text);

    public static GrpcField Texts(int number, string name) => new(number, name, GrpcType.Text) { IsRepeated = true };

    public static GrpcField Flag(int number, string name) => new(number, name, GrpcType.Flag);

    public static GrpcField Time(int number, string name) => new(number, name, GrpcType.Time);

    public static GrpcField One(int number, string name, GrpcMessage message) =>
        new(number, name, GrpcType.Message) { Message = message };

    public static GrpcField Many(int number, string name, GrpcMessage message) => One(number, name, message) with { IsRepeated = true };
}
