using System.Diagnostics;
using System.Net;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Replicas;

/// <summary>Two gateways behind nginx: one after the other is started anew, and nobody notices.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RollingRestartTests(PostgresCluster cluster)
{
    [PostgresNginxFact]
    public async Task ARollingRestartLosesNoCallAndNoSignIn()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        Sandbox.People.Settle(headscale);
        var store = "\n" + PostgresCluster.Section(await cluster.MakeDatabaseAsync());
        using var folder = new TemporaryFolder();
        var ports = new[] { GatewayProcess.FreePort(), GatewayProcess.FreePort() };
        using var nginx = StartNginx(folder, GatewayProcess.FreePort(), ports, out var front);
        var gateways = new List<GatewayProcess>();
        try
        {
            foreach (var port in ports)
            {
                gateways.Add(await StartAsync(port));
            }

            using var stop = new CancellationTokenSource();
            using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
            var callers = Enumerable.Range(0, 3).Select(number => Task.Run(async () =>
            {
                var (calls, wrong) = (0, new List<string>());
                while (!stop.IsCancellationRequested)
                {
                    using var request = new HttpRequestMessage(
                        number == 0 ? HttpMethod.Post : HttpMethod.Get,
                        new Uri(front, number == 0 ? "/api/v1/node/11/rename/x" : "/api/v1/node"));
                    request.Headers.Add("Remote-User", "alice");
                    using var answer = await http.SendAsync(request);
                    calls++;
                    if (answer.StatusCode is not HttpStatusCode.OK)
                    {
                        wrong.Add($"{answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                    }
                }

                return (calls, wrong);
            })).ToArray();

            var signedIn = 0;
            var signIns = Task.Run(async () =>
            {
                // Somebody who tries many keys in a minute is slowed down.
                using var pause = new PeriodicTimer(TimeSpan.FromSeconds(3));
                while (!stop.IsCancellationRequested && await pause.WaitForNextTickAsync())
                {
                    using var browser = new Browser(front, new Uri("https://gateway.example.test"));
                    (await browser.SubmitAsync("/admin/login", "/admin/login", ("api_key", headscale.ApiKey))).Status.Should().Be(302);
                    await Until.TrueAsync(
                        async () => (await browser.GetAsync("/admin/api/me")).Status == 200, "both replicas know the session");
                    Interlocked.Increment(ref signedIn);
                }
            });

            // However fast the machine is, somebody signs in meanwhile.
            while (Volatile.Read(ref signedIn) < 4 && !signIns.IsCompleted)
            {
                for (var at = 0; at < ports.Length; at++)
                {
                    await gateways[at].DisposeAsync();
                    gateways[at] = await StartAsync(ports[at]);
                }
            }

            await stop.CancelAsync();
            foreach (var (calls, wrong) in await Task.WhenAll(callers))
            {
                wrong.Should().BeEmpty(await File.ReadAllTextAsync(Path.Combine(folder.Path, "error.log")));
                calls.Should().BeGreaterThan(10);
            }

            await signIns;

            // And one that dies: the other one serves, with everything that was stored.
            await gateways[0].KillAsync();
            using (var after = new HttpRequestMessage(HttpMethod.Get, new Uri(front, "/api/v1/node")))
            {
                after.Headers.Add("Remote-User", "alice");
                using var answer = await http.SendAsync(after);
                answer.StatusCode.Should().Be(HttpStatusCode.OK);
            }

            (await Verb.RunAsync("audit", "verify", "--config", gateways[1].ConfigFile)).Exit.Should().Be(0);
        }
        finally
        {
            foreach (var gateway in gateways)
            {
                await gateway.DisposeAsync();
            }

            nginx.Kill(entireProcessTree: true);
            await nginx.WaitForExitAsync();
        }

        async Task<GatewayProcess> StartAsync(int port)
        {
            var own = Directory.CreateDirectory(Path.Combine(folder.Path, $"{port}")).FullName;
            return await GatewayProcess.StartAsync(
                own,
                TestGateway.Yaml(
                    headscale, own, port: port, more: "bootstrap: {owner: proxy:alice}" + store, server: "  trusted_proxies: [127.0.0.1]"),
                port, quiet: true, default);
        }
    }

    /// <summary>Both behind one address. A call that a gateway never got is sent to the other one.</summary>
    private static Process StartNginx(TemporaryFolder folder, int port, int[] gateways, out Uri front)
    {
        front = new Uri($"http://127.0.0.1:{port}");
        var file = folder.File("nginx.conf", $$"""
            daemon off; master_process off; pid {{folder.Path}}/nginx.pid; error_log {{folder.Path}}/error.log;
            events { worker_connections 256; }
            http {
              access_log off; client_body_temp_path {{folder.Path}}/b; proxy_temp_path {{folder.Path}}/p;
              fastcgi_temp_path {{folder.Path}}/f; uwsgi_temp_path {{folder.Path}}/u; scgi_temp_path {{folder.Path}}/s;
              upstream gateways { server 127.0.0.1:{{gateways[0]}} max_fails=0; server 127.0.0.1:{{gateways[1]}} max_fails=0; }
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://gateways; proxy_http_version 1.1; proxy_set_header Host gateway.example.test;
                  proxy_set_header X-Forwarded-For $remote_addr; proxy_next_upstream error timeout;
                }
              }
            }
            """);
        return Process.Start(new ProcessStartInfo("/usr/sbin/nginx", ["-c", file]) { RedirectStandardError = true })!;
    }
}
