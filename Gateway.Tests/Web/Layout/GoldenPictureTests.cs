using System.Text.RegularExpressions;
using Gateway.Tests.Deploy;
using Gateway.Tests.Support;
using Microsoft.Playwright;

namespace Gateway.Tests.Web.Layout;

/// <summary>
/// Every page looks as it did when somebody looked at it. The pictures are a quarter of the size: what moved shows, a word does not.
/// PICTURES=update makes them anew, and PICTURES=/a/folder puts all of them there in full size, to be looked at.
/// </summary>
public sealed partial class GoldenPictureTests
{
    /// <summary>How much of a picture may differ: other versions of Chromium draw edges another way.</summary>
    private const double Tolerance = 0.02;

    /// <summary>Names as they come: the longest that DNS takes, from right to left, without spaces.</summary>
    private const string Longest = "a-name-of-sixty-three-letters-which-is-the-longest-that-dns-can";

    private static readonly string[] _pages =
    [
        "", "login", "machines", "machines?sort=name&q=node-1", "machines/17", "machines/5000", "search?q=node-1", "connect", "keys",
        "apikeys", "users", "users/1", "users/new", "users/headscale", "users/headscale/61", "policy?who=sam@", "status", "account",
        "tokens", "audit", "access", "access?method=GET&path=/api/v1/node&role=viewer", "nowhere",
    ];

    /// <summary>A folder for pictures in full size; null: they are compared, or made anew.</summary>
    private static readonly string? _folder =
        Environment.GetEnvironmentVariable("PICTURES") is ['/', ..] and var named ? Directory.CreateDirectory(named).FullName : null;

    private static readonly string _golden =
        Path.Combine(Path.GetDirectoryName(Front.Folder)!, "Gateway.Tests", "Data", "pictures");

    /// <summary>How many pixels of two pictures differ clearly, of all; 1 where their sizes differ.</summary>
    private const string Compare =
        """
        async ([one, other]) => {
          const read = async text => {
            const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + text)).blob());
            const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
            canvas.drawImage(picture, 0, 0);
            return { width: picture.width, height: picture.height, data: canvas.getImageData(0, 0, picture.width, picture.height).data };
          };
          const [a, b] = [await read(one), await read(other)];
          if (a.width !== b.width || Math.abs(a.height - b.height) > 4) return 1;
          const length = Math.min(a.data.length, b.data.length);
          let different = 0;
          for (let i = 0; i < length; i += 4)
            if ([0, 1, 2].some(at => Math.abs(a.data[i + at] - b.data[i + at]) > 48)) different++;
          return different / (length / 4);
        }
        """;

    /// <summary>One font on every machine, and nothing that differs from run to run.</summary>
    private const string Still =
        """
        :root { --mono: "DejaVu Sans Mono" !important } body, button, input, select, textarea { font-family: "DejaVu Sans" !important }
        time, code.copy, .chart, pre, .foot, footer, .crumbs + h1 > code { visibility: hidden !important }
        *, *::before, *::after { transition: none !important; animation: none !important; caret-color: transparent !important }
        """;

    /// <summary>How long ago something was, and how long the gateway runs, is of any length.</summary>
    private const string SameTime =
        """
        () => {
          for (const one of document.querySelectorAll('time')) one.textContent = 'now';
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/running for .*/, 'running');
        }
        """;

    [ChromiumFact]
    public async Task EveryPageLooksAsItDidWhenSomebodyLookedAtIt()
    {
        await using var gateway = await TestGateway.StartReachableAsync();
        await FillAsync(gateway);
        await using var chromium = await Chromium.LaunchAsync();
        await using var context = await chromium.Browser.NewContextAsync(new()
        {
            BaseURL = gateway.Url.AbsoluteUri,
            BypassCSP = true,
            DeviceScaleFactor = _folder is null ? 0.25f : 1,
            ReducedMotion = ReducedMotion.Reduce,
            ExtraHTTPHeaders = HeadersOf("alice", "Alice Owner"),
        });
        var page = await context.NewPageAsync();
        await using var blank = await chromium.Browser.NewContextAsync();
        var judge = await blank.NewPageAsync();

        var wrong = new List<string>();
        foreach (var path in _pages)
        {
            await page.GotoAsync($"/admin/{path}");
            await page.AddStyleTagAsync(new() { Content = Still });
            await page.EvaluateAsync(SameTime);
            foreach (var (width, light) in (IEnumerable<(int, ColorScheme)>)
                [(1280, ColorScheme.Light), (1280, ColorScheme.Dark), (390, ColorScheme.Light), (390, ColorScheme.Dark)])
            {
                await page.SetViewportSizeAsync(width, 800);
                await page.EmulateMediaAsync(new() { ColorScheme = light });
                var name = $"{(path.Length == 0 ? "home" : NotOfAName().Replace(path, "-"))}-{width}-{light}.png".ToLowerInvariant();
                await CompareAsync(judge, name, await page.ScreenshotAsync(new() { FullPage = true }), wrong);
            }
        }

        wrong.Should().BeEmpty();
    }

    private static async Task CompareAsync(IPage judge, string name, byte[] picture, List<string> wrong)
    {
        var golden = Path.Combine(_folder ?? _golden, name);
        if (_folder is not null || Environment.GetEnvironmentVariable("PICTURES") == "update")
        {
            Directory.CreateDirectory(_golden);
            await File.WriteAllBytesAsync(golden, picture);
            return;
        }

        var share = File.Exists(golden)
            ? await judge.EvaluateAsync<double>(
                Compare, new[] { Convert.ToBase64String(await File.ReadAllBytesAsync(golden)), Convert.ToBase64String(picture) })
            : 1;
        if (share > Tolerance)
        {
            var now = Path.Combine(Path.GetTempPath(), $"gateway-picture-{name}");
            await File.WriteAllBytesAsync(now, picture);
            wrong.Add($"{name}: {share:P1} differ; it is now {now}");
        }
    }

    /// <summary>More devices than a page has, and names that are hard to set.</summary>
    private static async Task FillAsync(TestGateway gateway)
    {
        var tailnet = gateway.Headscale.Tailnet;
        tailnet.Users.Add(new(60, Longest, DisplayName: "A Person Whose Name Is Long Enough To Need Two Lines On A Phone"));
        tailnet.Users.Add(new(61, "sara", "sara@example.test", DisplayName: "שרה כהן"));
        tailnet.Users.Add(new(62, "muhammad", "muhammad@example.test", DisplayName: "محمد بن سلمان"));
        tailnet.Users.Add(new(63, "tanaka", "tanaka@example.test", DisplayName: "田中さくら"));
        tailnet.Nodes.Add(new(5000, Longest, 60)
        {
            Addresses = ["100.64.0.9", "fd7a:115c:a1e0:ab12:4843:cd96:6258:b240"],
            AvailableRoutes = ["10.0.0.0/8", "fd00:1234:5678:9abc::/64", "0.0.0.0/0"],
            ApprovedRoutes = ["10.0.0.0/8"],
        });
        foreach (var id in Enumerable.Range(1, 504))
        {
            tailnet.Nodes.Add(new((ulong)(6000 + id), $"node-{id}", (ulong)(60 + (id % 4)))
            {
                IsOnline = id % 3 != 0,
                LastSeen = "2026-01-02T03:04:05Z",
                Tags = id % 7 == 0 ? ["tag:a-tag-with-a-name", "tag:db"] : [],
            });
        }

        foreach (var (login, name) in ((string, string)[])
            [("alice", "Alice Owner"), ("sam", "Sam Self"), ("sara", "שרה כהן"), ("muhammad", "محمد بن سلمان"), ("tanaka", "田中さくら"),
                (Longest, Longest)])
        {
            using var http = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8 })
            {
                BaseAddress = gateway.Url,
            };
            foreach (var (header, value) in HeadersOf(login, name))
            {
                http.DefaultRequestHeaders.TryAddWithoutValidation(header, value);
            }

            await http.GetAsync(new Uri("/admin/", UriKind.Relative));
            await http.GetAsync(new Uri("/admin/apikeys", UriKind.Relative));
        }

        await gateway.MakeTokenAsync("proxy:alice", "admin");
        await gateway.MakeTokenAsync("proxy:alice", "viewer", networks: ["10.0.0.0/8", "fd00::/8"], operations: ["nodes.list"]);
        await gateway.MakeTokenAsync($"proxy:{Longest}", "viewer");
    }

    private static Dictionary<string, string> HeadersOf(string login, string name) => new()
    {
        ["Remote-User"] = login,
        ["Remote-Name"] = name,
        ["Remote-Email"] = $"{login}@example.test",
        ["Remote-Groups"] = Sandbox.People.All.SingleOrDefault(one => one.Login == login)?.Role ?? "viewer",
    };

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotOfAName();
}
