using Gateway.Policy;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;
using Gateway.Users;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Replicas;

/// <summary>Two gateways on one PostgreSQL: what one does, the other knows, and either may go.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ReplicaTests(PostgresCluster cluster)
{
    [PostgresFact]
    public async Task EachTakesTheOthersSessionsAndSignInsThatTheOtherBegan()
    {
        await using var provider = await ProviderStandIn.StartAsync(SignInSetup.Accounts);
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        var store = "\n" + PostgresCluster.Section(await cluster.MakeDatabaseAsync());
        await using var one = await TestGateway.StartAsync(
            headscale: headscale, more: SignInSetup.Section(provider) + store, server: "  trusted_proxies: [127.0.0.1]");
        await using var other = await TestGateway.StartAsync(
            headscale: headscale, more: SignInSetup.Section(provider) + store, server: "  trusted_proxies: [127.0.0.1]");
        using var browser = new Browser(one);
        using var atOther = new Browser(other);

        // Begun at one, finished at the other, used at both.
        var callback = await browser.BeginAsync(provider, "sam");
        foreach (var cookie in browser.Cookies)
        {
            atOther.Cookies[cookie.Key] = cookie.Value;
        }

        (await atOther.GetAsync(callback)).Status.Should().Be(302);
        (await atOther.GetAsync("/api/v1/node")).Status.Should().Be(200);
        browser.Cookies["__Host-headtower"] = atOther.Cookies["__Host-headtower"];
        await Until.TrueAsync(async () => (await browser.GetAsync("/api/v1/node")).Status == 200, "the other one knows the session");
        (await atOther.SubmitAsync("/admin/", "/admin/logout")).Status.Should().Be(302);
        await Until.TrueAsync(async () => (await browser.GetAsync("/api/v1/node")).Status == 302, "the other one knows that it ended");
    }

    [PostgresFact]
    public async Task AKeyThatOneMadeOpensAtTheOtherHoweverLongThatOneRuns()
    {
        var (headscale, one, other) = await StartTwoAsync();
        await using var _ = headscale;
        await using var first = one;
        await using var second = other;
        var (here, there) = (ProtectorOf(one), ProtectorOf(other));

        // Both made a key before either knew of the other's.
        var (sealedHere, sealedThere) = (here.Protect("x"), there.Protect("y"));

        await Until.TrueAsync(() => CountOf(one) == CountOf(other) && CountOf(one) > 0, "both have all keys");
        (there.Unprotect(sealedHere), here.Unprotect(sealedThere)).Should().Be(("x", "y"));
        var keys = one.App.Services.GetRequiredService<IKeyManager>();
        var ends = other.App.Services.GetRequiredService<IKeyManager>().GetCacheExpirationToken();
        keys.CreateNewKey(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(90));
        await Until.TrueAsync(() => ends.IsCancellationRequested, "the other one reads its keys anew");

        static IDataProtector ProtectorOf(TestGateway gateway) =>
            gateway.App.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");
        static int CountOf(TestGateway gateway) => gateway.App.Services.GetRequiredService<IKeyManager>().GetAllKeys().Count;
    }

    [PostgresFact]
    public async Task OfFiftyFirstPeopleAtBothExactlyOneBecomesOwner()
    {
        var (headscale, one, other) = await StartTwoAsync("bootstrap: {first_user_is_owner: true}");
        await using var _ = headscale;
        await using var first = one;
        await using var second = other;
        var go = new TaskCompletionSource();
        var calls = Enumerable.Range(0, 50).Select(async i =>
        {
            await go.Task;
            return (await (i % 2 == 0 ? one : other).CallAsAsync($"person-{i}", "GET", "/api/v1/health")).Status;
        }).ToArray();
        go.SetResult();

        (await Task.WhenAll(calls)).Should().AllSatisfy(status => status.Should().Be(200));

        await Until.TrueAsync(() => one.People.Snapshot.Count == 50 && other.People.Snapshot.Count == 50, "both know everyone");
        one.People.Snapshot.Everyone.Should().ContainSingle(person => person.Role == Role.OwnerName);
        other.People.Snapshot.Everyone.Should().Equal(one.People.Snapshot.Everyone);
    }

    [PostgresFact]
    public async Task WhatOneChangesCountsAtTheOther()
    {
        var (headscale, one, other) = await StartTwoAsync();
        await using var _ = headscale;
        await using var first = one;
        await using var second = other;
        (await one.CallAsAsync("vera", "GET", "/api/v1/node")).Status.Should().Be(403);
        await Until.TrueAsync(() => other.People.Snapshot.Count == 1, "the other one knows the person");
        var vera = one.People.Snapshot.Everyone.Single();

        (await one.People.SetRoleAsync(vera.Id, "viewer")).Should().Be(Change.Done);
        await Until.TrueAsync(
            async () => (await other.CallAsAsync("vera", "GET", "/api/v1/node")).Status == 200, "the role counts at the other one");
        (await other.People.SetRoleAsync(vera.Id, "member")).Should().Be(Change.Done);
        await Until.TrueAsync(
            async () => (await one.CallAsAsync("vera", "GET", "/api/v1/node")).Status == 403, "it counts the other way round");
        (await one.People.ClaimAsync(vera.Id, new UserLink("6", "f", LinkSource.Claim))).Should().Be(Change.Done);
        await Until.TrueAsync(() => other.People.Snapshot.Everyone.Single().Claim is not null, "the other one knows the claim");

        // Both decide on the same person at once: both are done, one after the other.
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i =>
                (i % 2 == 0 ? one : other).People.SetRoleAsync(vera.Id, i % 3 == 0 ? "viewer" : "auditor")));
        outcomes.Should().OnlyContain(outcome => outcome == Change.Done);
        await Until.TrueAsync(
            () => one.People.Snapshot.Everyone.Single() == other.People.Snapshot.Everyone.Single(), "both agree in the end");
        (await one.People.RemoveAsync(vera.Id)).Should().Be(Change.Done);
        await Until.TrueAsync(() => other.People.Snapshot.Count == 0, "the other one forgets who is removed");
    }

    [PostgresFact]
    public async Task EachHasAChainOfItsOwnInOneAudit()
    {
        var (headscale, one, other) = await StartTwoAsync();
        await using var _ = headscale;
        await using var first = one;
        await using var second = other;
        (await one.CallAsAsync("alice", "POST", "/api/v1/node/11/rename/x")).Status.Should().Be(200);
        await Until.TrueAsync(() => other.People.Snapshot.Count == 1, "the other one knows the owner");
        (await other.CallAsAsync("alice", "POST", "/api/v1/node/11/rename/y")).Status.Should().Be(200);
        (await other.CallAsAsync(null, "GET", "/api/v1/node")).Status.Should().Be(401);
        await one.StopAsync();
        await other.StopAsync();

        var shown = await Verb.RunAsync("audit", "--changes", "--config", one.Files.Config);
        (shown.Exit, shown.Error).Should().Be((0, ""));
        shown.Output.Should().Contain("/api/v1/node/11/rename/x").And.Contain("/api/v1/node/11/rename/y").And.Contain("200 allowed").And
            .NotContain("sign_in_required");
        (await Verb.RunAsync("audit", "--refused", "--config", one.Files.Config)).Output.Should().Contain("sign_in_required").And
            .NotContain("rename");
        (await Verb.RunAsync("audit", "verify", "--config", one.Files.Config)).Output.Should().Contain("The audit is as it was written");

        await using (var connection = new Npgsql.NpgsqlConnection(one.Configuration.Settings.Store.Connection!.Reveal()))
        {
            await connection.OpenAsync();
            await using var tamper = new Npgsql.NpgsqlCommand(
                "update headtower_audit set line = replace(line, 'rename/x', 'rename/z')", connection);
            await tamper.ExecuteNonQueryAsync();
        }

        var verified = await Verb.RunAsync("audit", "verify", "--config", one.Files.Config);
        verified.Exit.Should().Be(1);
        verified.Output.Should().Contain("entry 1 was altered");
    }

    [PostgresFact]
    public async Task WhileTheServerIsAwayReadingGoesOnAndChangesAreRefusedInWords()
    {
        var (headscale, one, other) = await StartTwoAsync();
        await using var _ = headscale;
        await using var first = one;
        await using var second = other;
        (await one.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
        await Until.TrueAsync(() => other.People.Snapshot.Count == 1, "both know alice");
        await cluster.StopAsync();
        try
        {
            (await one.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
            (await other.CallAsAsync("alice", "GET", "/api/v1/node")).Status.Should().Be(200);
            headscale.Forget();
            var (status, text) = await one.CallAsAsync("alice", "DELETE", "/api/v1/node/17");
            (status, text.Contains("audit", StringComparison.Ordinal)).Should().Be((503, true));
            headscale.Forwarded.Should().BeEmpty();
            var newcomer = await one.CallAsAsync("somebody", "GET", "/api/v1/node");
            newcomer.Status.Should().Be(503);
            await Until.TrueAsync(
                async () => (await one.CallAsAsync(null, "GET", "/admin/readyz")).Text.Contains("\"failing\"", StringComparison.Ordinal),
                "readyz says so");
        }
        finally
        {
            await cluster.StartAsync();
        }

        await Until.TrueAsync(
            async () => (await one.CallAsAsync("alice", "DELETE", "/api/v1/node/17")).Status == 200, "changes are made again");
        await Until.TrueAsync(
            async () => (await other.CallAsAsync("somebody", "GET", "/api/v1/node")).Status == 403, "newcomers are known again");
        await Until.TrueAsync(() => one.People.Snapshot.Count == 2, "and told to the other one");
    }

    private async Task<(
        HeadscaleStandIn Headscale, TestGateway One, TestGateway Other)> StartTwoAsync(string more = "bootstrap: {owner: proxy:alice}")
    {
        var headscale = await HeadscaleStandIn.StartAsync(29);
        var section = more + "\n" + PostgresCluster.Section(await cluster.MakeDatabaseAsync());
        return (headscale, await TestGateway.StartAsync(headscale: headscale, more: section, proxyAuth: "    match_email: false"),
            await TestGateway.StartAsync(headscale: headscale, more: section, proxyAuth: "    match_email: false"));
    }
}
