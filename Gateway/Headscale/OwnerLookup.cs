using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>Asks Headscale who owns what a call names. The request's own word on it is never taken.</summary>
internal sealed class OwnerLookup(HeadscaleClient client)
{
    /// <exception cref="HeadscaleException">Headscale did not say.</exception>
    public Task<Ownership> FindAsync(OwnScope scope, Call call, string userId, HeadscaleVersion version, CancellationToken cancel) => scope switch
    {
        OwnScope.None or OwnScope.List or OwnScope.UserId or OwnScope.UserName => Task.FromResult(Ownership.Unknown),
        OwnScope.Node => OfNodeAsync(call, userId, version, cancel),
        OwnScope.Key => OfKeyAsync(call, userId, version, cancel),
    };

    private async Task<Ownership> OfNodeAsync(Call call, string userId, HeadscaleVersion version, CancellationToken cancel) =>
        (await client.FindNodeAsync(call.Path["nodeId"], version, cancel))?.OwnerId == userId ? Ownership.Own : Ownership.Foreign;

    private async Task<Ownership> OfKeyAsync(Call call, string userId, HeadscaleVersion version, CancellationToken cancel)
    {
        if (!version.HasTagOwnership && call.Text("user") != userId)
        {
            return Ownership.Foreign;
        }

        var keys = await client.ListKeysAsync(userId, version, cancel);
        var key = version.HasTagOwnership
            ? keys.FirstOrDefault(one => one.Id == call.Text("id"))
            : keys.FirstOrDefault(one => one.Key.Length > 0 && one.Key == call.Text("key"));
        return key?.OwnerId == userId ? Ownership.Own : Ownership.Foreign;
    }
}
