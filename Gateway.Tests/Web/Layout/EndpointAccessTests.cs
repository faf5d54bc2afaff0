using Gateway.Tests.Support;
using Gateway.Users;
using Gateway.Web.Layout;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Web.Layout;

/// <summary>Every endpoint of ours says whom it takes, and takes nobody else.</summary>
public sealed class EndpointAccessTests
{
    /// <summary>What anybody may ask for.</summary>
    private static readonly string[] _anonymous =
    [
        "GET /admin/healthz", "GET /admin/readyz", "GET /admin/style.css", "GET /admin/script.js",
        "GET /admin/icon.svg", "GET /admin/logo", "GET /admin/login", "POST /admin/login", "GET /admin/oidc/start",
        "POST /admin/logout", "POST /admin/oidc/backchannel-logout", "GET /admin/api/openapi.json",
    ];

    [Fact]
    public async Task EachEndpointIsAnonymousByListOrDemandsACapability()
    {
        await using var gateway = await TestGateway.StartAsync();
        var endpoints = EndpointsOf(gateway);

        endpoints.Length.Should().BeGreaterThan(45);
        endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null).SelectMany(NamesOf).Should()
            .BeEquivalentTo(_anonymous);
        endpoints.Where(
            endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null
                && endpoint.Metadata.GetMetadata<CapabilityRequirement>() is null)
            .SelectMany(NamesOf).Should().BeEmpty();
    }

    [Fact]
    public async Task EachEndpointThatChangesSomethingHasAFilterAgainstOtherSites()
    {
        await using var gateway = await TestGateway.StartAsync();

        EndpointsOf(gateway).Where(endpoint => endpoint.Metadata.GetMetadata<ChangeMark>() is null).SelectMany(NamesOf)
            .Where(name => !name.StartsWith("GET ", StringComparison.Ordinal) && !_anonymous.Contains(name)).Should().BeEmpty();
    }

    [Fact]
    public async Task AStrangerIsSentToTheLoginPageOrRefused()
    {
        await using var gateway = await TestGateway.StartAsync(more: "limits: {anonymous_per_minute: 0}");
        using var stranger = Host(gateway.As(null));
        var wrong = new List<string>();
        foreach (var (method, path) in Guarded(gateway))
        {
            var (status, _) = await TestGateway.CallAsync(stranger, method, path, method == "GET" ? null : "{}");
            if (status != (path.StartsWith("/admin/api/", StringComparison.Ordinal) ? 401 : 302))
            {
                wrong.Add($"{method} {path}: {status}");
            }
        }

        wrong.Should().BeEmpty();
        (await gateway.StopAndReadAuditAsync()).Should().NotContain(entry => entry.Status == 200);
    }

    [Fact]
    public async Task EachRoleIsLetInWhereItHoldsTheCapabilityAndRefusedElsewhere()
    {
        await using var gateway = await TestGateway.StartAsync(
            more: "bootstrap: {owner: proxy:alice}\nlimits: {anonymous_per_minute: 0, caller_per_minute: 0}");
        var wrong = new List<string>();
        foreach (var person in Sandbox.People.All)
        {
            using var client = Host(gateway.AsPerson(person.Login));
            var role = gateway.Configuration.Table.RoleNamed(person.Role);
            foreach (var endpoint in EndpointsOf(gateway))
            {
                if (endpoint.Metadata.GetMetadata<CapabilityRequirement>() is not { } requirement)
                {
                    continue;
                }

                foreach (var (method, path) in NamesOf(endpoint).Select(Filled)
                    .Where(call => call is { Method: "GET", Path: not "/admin/live" }))
                {
                    var (status, text) = await TestGateway.CallAsync(client, method, path);
                    if (requirement.IsMetBy(role) ? status is not (200 or 400 or 404) : status != 403
                        || !text.Contains("lacks", StringComparison.Ordinal))
                    {
                        wrong.Add($"{person.Login} {method} {path}: {status}");
                    }
                }
            }
        }

        wrong.Should().BeEmpty();
    }

    [Fact]
    public async Task AMemberChangesNothingAtAll()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");
        await sam.GetAsync("/admin/");
        using var mel = gateway.BrowserOf("mel");
        await mel.GetAsync("/admin/");
        var (before, id) = (gateway.People.Snapshot.Everyone.ToArray(), gateway.People.Snapshot.Everyone[0].Id);

        // Asking for access is what a member can do, and it gives none.
        foreach (var path in Guarded(gateway)
            .Where(call => call is { Method: "POST", Path: not "/admin/ask" }
                && !call.Path.StartsWith("/admin/api/", StringComparison.Ordinal)).Select(call => call.Path)
            .Concat(PersonChanges.ByOthers.Select(action => $"/admin/users/{id}/{action}")))
        {
            var answer = await mel.SubmitAsync("/admin/login", path, ("name", "x"), ("user", "1"), ("role", "admin"));
            (answer.Status is 400 or 403 or 404 or 409).Should().BeTrue($"{path}: {answer.Status}");
        }

        gateway.Headscale.Everything.Should().NotContain(call => call.Method != "GET");
        gateway.People.Snapshot.Everyone.Should().Equal(before, "nobody's role, link or claim is another one");
    }

    private static RouteEndpoint[] EndpointsOf(TestGateway gateway) =>
        [.. gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static IEnumerable<string> NamesOf(RouteEndpoint endpoint) =>
        (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(
            method => $"{method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}");

    /// <summary>Every call that is not for everybody, with values in its path.</summary>
    private static IEnumerable<(string Method, string Path)> Guarded(TestGateway gateway) =>
        EndpointsOf(gateway).SelectMany(NamesOf).Except(_anonymous).Select(Filled);

    private static (string Method, string Path) Filled(string name) => name.Split(' ') is [var method, var path]
        ? (method, path.Replace("{id:long}", "1", StringComparison.Ordinal).Replace("{id}", "1", StringComparison.Ordinal)
            .Replace("{action}", "expire", StringComparison.Ordinal).Replace("{*path:nonfile}", "nothing", StringComparison.Ordinal))
        : ("", "");

    private static HttpClient Host(HttpClient client)
    {
        client.DefaultRequestHeaders.Host = "gateway.example.test";
        client.DefaultRequestHeaders.Add("Origin", "https://gateway.example.test");
        return client;
    }
}
