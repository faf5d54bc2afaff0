using System.Diagnostics;
using System.Globalization;
using Gateway.Audit;
using Gateway.Documents;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Store.Segments;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Bench;

/// <summary>What the audit costs for each read, and how fast a million entries are searched.</summary>
internal static class AuditCost
{
    private const int Reads = 200_000;
    private const int Entries = 1_000_000;
    private const int Callers = 50;

    /// <summary>Prints the processor time of an audited read, and the time of searches.</summary>
    public static async Task MeasureAsync()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
        try
        {
            // The first round pays for the compiler.
            foreach (var name in new[] { "", "off", "minute", "each" })
            {
                var micros = await CostAsync(Path.Combine(folder, $"cost-{name}"), name);
                if (name.Length > 0)
                {
                    Console.WriteLine(
                        string.Create(CultureInfo.InvariantCulture, $"audited read, audit {name,-7} {micros,6:0.00} µs of processor time"));
                }
            }

            await SearchAsync(Path.Combine(folder, "search"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Of all threads of the process: who writes it is part of the cost.</summary>
    private static async Task<double> CostAsync(string folder, string reads)
    {
        Directory.CreateDirectory(folder);
        await using var store = new SqliteDocumentStore(
            SqliteFile.Open(Path.Combine(folder, "headtower.db"), Path.Combine(folder, "audit")));
        using var documents = new DocumentSet(store, TimeProvider.System, NullLogger<DocumentSet>.Instance);
        var heads = new AuditHeads(documents);
        await documents.LoadAsync(default);
        var settings = SettingsFile.Parse(
            $"headscale: {{url: 'http://127.0.0.1:1'}}\nserver: {{data_path: '{folder}'}}\naudit: {{reads: "
            + $"{(reads == "each" ? "each" : "minute")}}}", "bench.yaml", new Dictionary<string, string>()).Settings!;
        var table = RouteFile.Parse(RouteFile.Shipped(), "routes.yaml", Headscale.Bodies.Names, new Problems())!;
        using var audit = new AuditLog(
            new SegmentAuditStore(Path.Combine(folder, "audit"), new EphemeralDataProtectionProvider(), TimeProvider.System), heads,
                new ConfigurationMonitor(new Configuration(settings, table)), TimeProvider.System, NullLogger<AuditLog>.Instance);
        await audit.StartAsync(default);
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        for (var number = 0; number < Reads; number++)
        {
            var entry = Entry(number);
            if (reads != "off")
            {
                await audit.RecordAsync(entry, default);
            }
        }

        await audit.FlushAsync(default);
        var spent = Process.GetCurrentProcess().TotalProcessorTime - before;
        await audit.StopAsync(default);
        return spent.TotalMicroseconds / Reads;
    }

    private static async Task SearchAsync(string folder)
    {
        var store = new SegmentAuditStore(folder, new EphemeralDataProtectionProvider(), TimeProvider.System);
        await store.OpenAsync(default);
        foreach (var part in Enumerable.Range(0, Entries).Chunk(10_000))
        {
            await store.WriteAsync([.. part.Select(number => new AuditRecord.Begun(Entry(number)))], isDurable: false, default);
        }

        await store.CloseAsync(default);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{Entries} entries, "
                + $"{SegmentFile.All(folder).Sum(one => new FileInfo(one).Length) / 1e6:0} MB"));
        foreach (var (name, search) in new[]
        {
            ("newest page", AuditSearch.All), ("a caller that nobody is", new AuditSearch { Actor = "proxy:nobody" }),
            ("a text that nothing has", new AuditSearch { Text = "no such thing" }),
            ("refusals only", new AuditSearch { RefusedOnly = true }), ("changes only", new AuditSearch { ChangesOnly = true }),
            ("a row that nothing has", new AuditSearch { Row = "none.such" }),
        })
        {
            var started = Stopwatch.GetTimestamp();
            var found = await store.FindAsync(search, null, 51, default);
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{name,-26} {Stopwatch.GetElapsedTime(started).TotalMilliseconds,7:0.0} ms "
                    + $"  {found.Count} found"));
        }

        var verifying = Stopwatch.GetTimestamp();
        var result = await store.VerifyAsync([], default);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{"verify",-26} {Stopwatch.GetElapsedTime(verifying).TotalMilliseconds,7:0.0} "
                + $"ms   {result.Problems.Count} problems"));
    }

    private static AuditEntry Entry(int number) => new()
    {
        At = TimeProvider.System.GetUtcNow(),
        RequestId = Guid.NewGuid().ToString("n"),
        Kind = AuditKind.Api,
        Actor = $"proxy:user-{number % Callers}",
        Role = "viewer",
        HeadscaleUser = "7",
        Row = "nodes.list",
        Method = "GET",
        Path = "/api/v1/node",
        Reason = "allowed",
        Status = 200,
        Client = "192.0.2.7",
        Duration = 1.25,
    };
}
